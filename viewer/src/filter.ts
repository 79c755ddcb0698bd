/** What is shown: the filters, their form in the address, and the places that pass them. */

import type { Data, Kind, VerdictKind } from "./data";
import { ACROSS, TEMPLATE, WITHIN } from "./data";

export interface Filter {
  q: string;
  kind: Kind | "";
  verdict: VerdictKind | "";
  where: "within" | "across" | "";
  words: number;
  similarity: number;
  /** Pages (their ids) or folders and hosts (ending in "/") on which a passage has to stand. */
  on: string;
  and: string;
  hideTemplate: boolean;
  showIgnored: boolean;
  /** The most wasteful passages first, template and menus among them; else these come last. It hides nothing. */
  mixed: boolean;
}

export const EVERYTHING: Filter = {
  q: "",
  kind: "",
  verdict: "",
  where: "",
  words: 0,
  similarity: 0,
  on: "",
  and: "",
  hideTemplate: false,
  showIgnored: false,
  mixed: false,
};

export type View = "overview" | "pages" | "page" | "passages" | "map" | "sure";
export interface Route {
  view: View;
  id: number | null;
  at: number | null;
  filter: Filter;
}

const NAMES: Record<keyof Filter, string> = {
  q: "q",
  kind: "kind",
  verdict: "verdict",
  where: "where",
  words: "words",
  similarity: "alike",
  on: "on",
  and: "and",
  hideTemplate: "notemplate",
  showIgnored: "ignored",
  mixed: "mixed",
};
const VIEWS: View[] = ["overview", "pages", "page", "passages", "map", "sure"];

/** The route of an address's hash, such as `#/passages/12?q=bridge&alike=0.8`; what makes no sense is left out. */
export function parseHash(hash: string): Route {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [name, id, at] = path.split("/");
  const view = VIEWS.includes(name as View) ? (name as View) : "overview";
  const given = new URLSearchParams(query),
    filter: Filter = { ...EVERYTHING };
  for (const [key, short] of Object.entries(NAMES) as [keyof Filter, string][]) {
    const value = given.get(short);
    if (value === null) continue;
    const usual = EVERYTHING[key];
    if (typeof usual === "boolean") (filter[key] as boolean) = value === "1";
    else if (typeof usual === "number") (filter[key] as number) = Math.max(Number(value) || 0, 0);
    else (filter[key] as string) = value;
  }
  return { view, id: whole(id), at: whole(at), filter };
}

export function formatHash(route: Route): string {
  const query = new URLSearchParams();
  for (const [key, short] of Object.entries(NAMES) as [keyof Filter, string][]) {
    const value = route.filter[key];
    if (value !== EVERYTHING[key]) query.set(short, value === true ? "1" : String(value));
  }
  const path = [route.view, route.id, route.at].filter((part) => part !== null).join("/"),
    text = query.toString();
  return `#/${path}${text ? "?" + text : ""}`;
}

function whole(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

export function isEmpty(filter: Filter): boolean {
  return (Object.keys(EVERYTHING) as (keyof Filter)[]).every((key) => key === "mixed" || filter[key] === EVERYTHING[key]);
}

/** Whether a filter may hide what is not ignored. */
export function narrows(filter: Filter): boolean {
  return !isEmpty({ ...filter, showIgnored: false });
}

/** The words that are searched for, in small letters. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

export interface Selection {
  /** Groups that are shown, in order; which places of them pass. */
  groups: Int32Array;
  places: Uint8Array;
}

export function select(data: Data, filter: Filter, ignored: ReadonlySet<string>): Selection {
  const places = new Uint8Array(data.places),
    groups: number[] = [];
  const asked = wordsOf(filter.q);
  const named = asked.length ? pagesNamed(data, asked) : null;
  const [on, and] = pagesAsked(data, filter);
  for (let g = 0; g < data.groups; g++) {
    if (!groupPasses(data, g, filter, asked, named, ignored)) continue;
    let left = 0,
      isOn = !on,
      isAnd = !and;
    for (let o = data.first[g]; o < data.first[g + 1]; o++) {
      if (!placePasses(data, o, g, filter)) continue;
      places[o] = 1;
      left++;
      isOn ||= on!.has(data.raw.places.page[o]);
      isAnd ||= and!.has(data.raw.places.page[o]);
    }
    if (left >= 2 && isOn && isAnd && stands(data, g, places, filter)) groups.push(g);
    else places.fill(0, data.first[g], data.first[g + 1]);
  }
  const last = filter.mixed ? [] : groups.filter((g) => isFurniture(data, g, places));
  const furniture = new Set(last);
  return { groups: Int32Array.from(last.length ? [...groups.filter((g) => !furniture.has(g)), ...last] : groups), places };
}

/** Whether most shown places of a passage are the site's template, menus or refrains; on a page that is a copy they are no more. */
export function isFurniture(data: Data, g: number, places: Uint8Array): boolean {
  let shown = 0,
    furniture = 0;
  for (let o = data.first[g]; o < data.first[g + 1]; o++) {
    shown += places[o];
    if (places[o] && data.use[o] === TEMPLATE) furniture++;
  }
  return 2 * furniture > shown;
}

function groupPasses(
  data: Data,
  g: number,
  filter: Filter,
  asked: string[],
  named: Uint8Array | null,
  ignored: ReadonlySet<string>,
): boolean {
  const { groups } = data.raw;
  if (filter.kind && groups.kind[g] !== filter.kind) return false;
  if (groups.tokens[g] < filter.words) return false;
  if (!filter.showIgnored && ignored.size && ignored.has(groups.fingerprint[g])) return false;
  if (!named) return true;
  const text = data.searched(g);
  if (asked.every((word) => text.includes(word))) return true;
  for (let o = data.first[g]; o < data.first[g + 1]; o++) if (named[data.raw.places.page[o]]) return true;
  return false;
}

function placePasses(data: Data, o: number, g: number, filter: Filter): boolean {
  if (filter.similarity && data.raw.places.similarity[o] < filter.similarity && o !== data.representative(g)) return false;
  if (filter.hideTemplate && data.use[o] === TEMPLATE) return false;
  return true;
}

/** Whether what is left of a group stands where it is asked to: twice on a page, on two pages, with the verdict. */
function stands(data: Data, g: number, places: Uint8Array, filter: Filter): boolean {
  if (!filter.where && !filter.verdict) return true;
  const pages = new Set<number>();
  let twice = false,
    judged = !filter.verdict;
  for (let o = data.first[g]; o < data.first[g + 1]; o++) {
    if (!places[o]) continue;
    twice ||= pages.has(data.raw.places.page[o]) || data.raw.places.copies[o] > 1;
    pages.add(data.raw.places.page[o]);
    judged ||= data.verdictKind(o) === filter.verdict;
  }
  return judged && (filter.where === "" || (filter.where === "within" ? twice : pages.size > 1));
}

/** Which pages have all words in their name, title or source. */
export function pagesNamed(data: Data, words: string[]): Uint8Array {
  const { id, title, source } = data.raw.pages,
    out = new Uint8Array(data.pages);
  for (let p = 0; p < data.pages; p++) {
    const text = `${id[p]}\n${title[p] ?? ""}\n${source[p] ?? ""}`.toLowerCase();
    out[p] = words.every((word) => text.includes(word)) ? 1 : 0;
  }
  return out;
}

/** The pages on which a passage has to stand, one and another; null where that is not asked. */
export function pagesAsked(data: Data, filter: Filter): (Set<number> | null)[] {
  return [filter.on, filter.and].map((name) => (name ? pagesUnder(data, name) : null));
}

/** The page of an id; else the pages of a folder or host. */
export function pagesUnder(data: Data, name: string): Set<number> {
  const out = new Set<number>();
  data.raw.pages.id.forEach((id, p) => {
    if (id === name || (name.endsWith("/") && folder(id) === name)) out.add(p);
  });
  return out;
}

/** The folder of a page's id or the host of its address, with "/" at the end: what a map of many pages is made of. */
export function folder(id: string): string {
  const address = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(id);
  if (address) return address[1] + "/";
  const cut = id.lastIndexOf("/");
  return cut < 0 ? "./" : id.slice(0, cut + 1);
}

export { ACROSS, TEMPLATE, WITHIN };
