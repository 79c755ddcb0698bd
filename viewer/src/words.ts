/** Words and figures for people. Shares are cut, never rounded up: what is not all is never called 100 %. */

import type { Data, VerdictKind } from "./data";

export function number(value: number): string {
  return Math.floor(value + 0.5).toLocaleString("en-US");
}

export function count(value: number, noun: string, plural = noun + "s"): string {
  return `${number(value)} ${Math.floor(value + 0.5) === 1 ? noun : plural}`;
}

export function percent(share: number): string {
  if (share >= 1) return "100 %";
  const tenths = Math.min(Math.floor(share * 1000 + 1e-6), 999);
  return `${(tenths / 10).toFixed(1)} %`;
}

export function times(value: number): string {
  return value === 1 ? "once" : value === 2 ? "twice" : `${number(value)} times`;
}

/** How alike the places of a passage are; other words may stand between what they share. */
export function likeness(data: Data, group: number): string {
  const kind = data.raw.groups.kind[group],
    similarity = data.raw.groups.similarity[group];
  if (kind === "contained" && similarity >= 1) return "inside a longer text";
  const alike = kind === "exact" ? "word for word" : `${percent(similarity)} alike`;
  for (let o = data.first[group]; o < data.first[group + 1]; o++)
    if (data.hasGaps(o)) return `${alike}, with other words between`;
  return alike;
}

export function oneLine(text: string, limit: number): string {
  const words = text
    .slice(0, 4 * limit + 64)
    .replace(/\s+/g, " ")
    .trim();
  if (words.length <= limit && text.length <= 4 * limit + 64) return words;
  const head = words.slice(0, limit - 2),
    cut = head.lastIndexOf(" ");
  return (cut > limit / 2 ? head.slice(0, cut) : head).replace(/[\ud800-\udbff]$/, "") + " …";
}

/** An id or address in one line, cut in the middle: versions of a page differ in how theirs begin or end. */
export function shortId(id: string, limit: number): string {
  const line = id.replace(/\s+/g, " ").trim(),
    head = Math.floor(0.4 * limit);
  if (line.length <= limit) return line;
  const [begins, ends] = [line.slice(0, head), line.slice(head + 1 - limit)];
  return `${begins.replace(/[\ud800-\udbff]$/, "")}…${ends.replace(/^[\udc00-\udfff]/, "")}`;
}

/** "line 3", "lines 3–7"; with the characters, where lines do not tell it from another place of its passage on its page. */
export function lines(data: Data, place: number): string {
  const { line, lines: rest, page, start } = data.raw.places,
    from = line[place],
    more = rest[place],
    g = data.groupOf[place];
  let alike = false;
  for (let o = data.first[g]; o < data.first[g + 1] && !alike; o++)
    alike = o !== place && line[o] === from && rest[o] === more && page[o] === page[place];
  const words = more ? `lines ${number(from)}–${number(from + more)}` : `line ${number(from)}`;
  return alike ? `${words} (characters ${number(start[place])}–${number(data.end(place))})` : words;
}

/** Places one after the other: "line 41", "49", "55"; the noun again where it is another one. */
export function again(places: string[]): string[] {
  const noun = (text: string) => text.split(" ", 1)[0];
  return places.map((text, n) => (n && noun(text) === noun(places[n - 1]) ? text.slice(noun(text).length + 1) : text));
}

/** "39 times in a row" of a place where the text follows itself, else nothing. */
export function inARow(data: Data, place: number): string {
  const copies = data.raw.places.copies[place];
  return copies > 1 ? `${times(copies)} in a row` : "";
}

/** "lines 3–7", "lines 5–81, 39 times in a row". */
export function where(data: Data, place: number): string {
  return [lines(data, place), inARow(data, place)].filter(Boolean).join(", ");
}

/** A sentence as print has it: ranges of lines with a dash, quotes and dots of one kind; dashes in a quote stay as they are. */
export function printed(text: string): string {
  return text
    .split('"')
    .map((part, i) => (i % 2 ? part : part.replace(/(\d)-(\d)/g, "$1–$2")))
    .join('"')
    .replace(/\s?\.\.\./g, " …")
    .replace(/(^|[\s(])"/g, "$1“")
    .replace(/"/g, "”");
}

/** The end of a DOM path, without what all paths begin with. */
export function shortPath(path: string, limit = 30): string {
  const steps = path.split("/").filter(Boolean);
  if (steps.length > 2 && steps[0] === "html" && steps[1] === "body") steps.splice(0, 2);
  let kept = steps.length;
  while (kept > 1 && steps.slice(-kept).join("/").length > limit) kept--;
  return (kept < steps.length ? "…/" : "") + steps.slice(-kept).join("/");
}

export const VERDICTS: Record<VerdictKind, { name: string; plain: string }> = {
  "rendered-twice": { name: "Rendered twice", plain: "a section that stands twice on its page, in order" },
  teaser: { name: "Teaser", plain: "a lead or summary that stands in the text again" },
  navigation: { name: "Menu or notice", plain: "navigation, forms and notices" },
  refrain: { name: "Refrain", plain: "a line that comes back on purpose" },
  template: { name: "Template", plain: "what the site puts on many of its pages" },
  shared: { name: "Shared", plain: "a passage that stands on other pages too" },
  "copy-of": { name: "Copy of a page", plain: "the whole page stands elsewhere" },
};

/** Where else a passage stands, in a few words, seen from one of its places. */
export function elsewhere(data: Data, place: number): string {
  const g = data.groupOf[place],
    page = data.raw.places.page[place],
    own: number[] = [],
    pages = new Set<number>();
  for (let o = data.first[g]; o < data.first[g + 1]; o++) {
    if (o === place) continue;
    if (data.raw.places.page[o] === page) own.push(o);
    else pages.add(data.raw.places.page[o]);
  }
  const parts: string[] = [];
  if (own.length) {
    const shown = own
      .slice(0, 2)
      .map((o) => lines(data, o))
      .join(" and ");
    parts.push(own.length > 2 ? `${shown} and ${own.length - 2} more` : shown);
  }
  if (pages.size) {
    const [name] = pages;
    parts.push(pages.size === 1 ? `on ${data.shortName(name, 40)}` : `on ${number(pages.size)} other pages`);
  }
  return parts.join(", ");
}

/** Capital first, full stop last: verdicts are parts of sentences. */
export function sentence(text: string): string {
  const t = text.trim();
  return t.charAt(0).toUpperCase() + t.slice(1) + (/[.!?…)`"”]$/.test(t) ? "" : ".");
}
