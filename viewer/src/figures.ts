/** The figures of what is shown: how many characters stand more than once, each counted once. */

import type { Data } from "./data";
import { ACROSS, TEMPLATE, WITHIN } from "./data";
import type { Selection } from "./filter";

export interface Shares {
  within: number;
  across: number;
  template: number;
  all: number;
}

/** Length of the union of half-open ranges; sorts them. */
export function union(ranges: [number, number][]): number {
  ranges.sort((a, b) => a[0] - b[0]);
  let total = 0,
    reached = -Infinity;
  for (const [start, end] of ranges) {
    if (end > reached) total += end - Math.max(start, reached);
    reached = Math.max(reached, end);
  }
  return total;
}

/** Characters of places by use: again on its own page, else on other ones, else furniture only, as the report's content share. */
export function byUse(data: Data, places: Iterable<number>): Shares {
  const ranges: [number, number][][] = [[], [], []];
  for (const o of places) ranges[data.use[o]].push(...data.parts(o));
  const within = union([...ranges[WITHIN]]),
    content = union([...ranges[WITHIN], ...ranges[ACROSS]]);
  const all = union(ranges.flat());
  return { within, across: content - within, template: all - content, all };
}

/** How much of each page stands elsewhere too, of its characters: what its bar shows. */
export function pageShares(data: Data, selection: Selection, page: number): Shares {
  const own: number[] = [];
  for (let i = data.pageFirst[page]; i < data.pageFirst[page + 1]; i++) {
    if (selection.places[data.pagePlaces[i]]) own.push(data.pagePlaces[i]);
  }
  const chars = Math.max(data.raw.pages.chars[page], 1),
    found = byUse(data, own);
  // The report does not count the white space between blocks: a page that it calls repeated as a whole is so here, too.
  const whole = Math.max(data.raw.pages.within[page], data.raw.pages.across[page]) >= 1 && found.all > 0.9 * chars;
  const of = (part: number) => part / (whole ? found.all : chars);
  return { within: of(found.within), across: of(found.across), template: of(found.template), all: of(found.all) };
}

export interface Head extends Shares {
  groups: number;
  /** Those of them that are parts of others. */
  parts: number;
  pages: number;
  chars: number;
  words: number;
}

/** What the selected places repeat: all but the first of each group, as a clean-up that keeps one would remove them. */
export function head(data: Data, selection: Selection): Head {
  const { reference } = data.raw.pages,
    sums: Shares = { within: 0, across: 0, template: 0, all: 0 };
  const later = laterPlaces(data, selection);
  let pages = 0,
    spoken = 0;
  for (let p = 0; p < data.pages; p++) {
    const own: number[] = [];
    let any = false;
    for (let i = data.pageFirst[p]; i < data.pageFirst[p + 1]; i++) {
      const o = data.pagePlaces[i];
      any ||= selection.places[o] === 1;
      if (later[o] && !reference[p]) own.push(o);
    }
    if (any && !reference[p]) pages++;
    if (!own.length) continue;
    const found = byUse(data, own);
    for (const key of ["within", "across", "template", "all"] as const) sums[key] += found[key];
    spoken += wordsIn(data, own);
  }
  const { groups } = selection;
  return { ...sums, chars: sums.all, words: spoken, pages, groups: groups.length, parts: data.countParts(groups) };
}

/** Half-open ranges without overlaps, in order. */
class Covered {
  private starts: number[] = [];
  private ends: number[] = [];

  /** Add a range; how much of it was not there before. */
  add(start: number, end: number): number {
    const from = firstAtLeast(this.ends, start);
    let fresh = end - start,
      to = from;
    for (; to < this.starts.length && this.starts[to] <= end; to++) {
      fresh -= Math.max(Math.min(this.ends[to], end) - Math.max(this.starts[to], start), 0);
    }
    const low = to > from ? Math.min(start, this.starts[from]) : start,
      high = to > from ? Math.max(end, this.ends[to - 1]) : end;
    this.starts.splice(from, to - from, low);
    this.ends.splice(from, to - from, high);
    return fresh;
  }
}

function firstAtLeast(sorted: number[], value: number): number {
  let low = 0,
    high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Words of places of one page; of a text that lies in several places those of the longest one. */
export function wordsIn(data: Data, places: number[]): number {
  const { size, copies } = data.raw.places,
    covered = new Covered();
  let words = 0;
  for (const o of [...places].sort((a, b) => size[b] - size[a] || a - b)) {
    let all = 0,
      fresh = 0;
    for (const [start, end] of data.parts(o)) {
      all += end - start;
      fresh += covered.add(start, end);
    }
    words += (data.raw.groups.tokens[data.groupOf[o]] * copies[o] * fresh) / Math.max(all, 1);
  }
  return words;
}

/** The report's shares in tenths of a percent that add up: split as what is shown is split, of the whole as the report has it. */
export function headShares(
  official: { duplicate_share: number; content_share: number },
  head: Shares,
  whole: Shares,
): Shares {
  const total = tenths(official.duplicate_share),
    content = Math.min(tenths(official.content_share), total),
    both = whole.within + whole.across;
  const within = both ? Math.floor((content * whole.within) / both) : 0;
  const parts = { within, across: content - within, template: total - content };
  if (!parts.within && whole.within && parts.across > 1) [parts.within, parts.across] = [1, parts.across - 1]; // it is there
  const of = (use: "within" | "across" | "template") =>
    whole[use] ? Math.floor((parts[use] * head[use]) / whole[use] + 1e-6) : parts[use];
  const shown = [of("within"), of("across"), of("template")];
  const [a, b, c] = shown.map((n) => n / 1000);
  return { within: a, across: b, template: c, all: (shown[0] + shown[1] + shown[2]) / 1000 };
}

/** A share in tenths of a percent, cut: only what is all is 1000. */
function tenths(share: number): number {
  return share >= 1 ? 1000 : Math.min(Math.floor(share * 1000 + 1e-6), 999);
}

/** 1 for each selected place that has a selected place of its group before it. */
export function laterPlaces(data: Data, selection: Selection): Uint8Array {
  const later = selection.places.slice();
  for (const g of selection.groups) {
    for (let o = data.first[g]; o < data.first[g + 1]; o++) {
      if (later[o]) {
        later[o] = 0;
        break;
      }
    }
  }
  return later;
}

export interface Closest {
  page: number;
  share: number;
  partners: number;
}

const FEW_PAGES = 20,
  MOST_OF_PAGES = 0.25;

/** Groups that say nothing of two pages in particular: they stand on very many. 1 for each such group. */
export function commonGroups(data: Data): Uint8Array {
  const out = new Uint8Array(data.groups),
    least = Math.max(FEW_PAGES, MOST_OF_PAGES * data.pages),
    { page } = data.raw.places;
  for (let g = 0; g < data.groups; g++) {
    if (data.first[g + 1] - data.first[g] > least)
      out[g] = new Set(page.slice(data.first[g], data.first[g + 1])).size > least ? 1 : 0;
  }
  return out;
}

/** The page that has most of a page's text (template and what is common aside), how much of it, and how many pages have some of it. */
export function closest(data: Data, selection: Selection, page: number, common: Uint8Array): Closest | null {
  const covered = new Map<number, [number, number]>(),
    partners = new Set<number>(); // page -> covered, reached
  for (let i = data.pageFirst[page]; i < data.pageFirst[page + 1]; i++) {
    const o = data.pagePlaces[i],
      g = data.groupOf[o];
    if (!selection.places[o] || data.use[o] === TEMPLATE || common[g]) continue;
    const others = new Set<number>();
    for (let k = data.first[g]; k < data.first[g + 1]; k++) {
      if (selection.places[k] && data.raw.places.page[k] !== page) others.add(data.raw.places.page[k]);
    }
    for (const other of others) {
      partners.add(other);
      const known = covered.get(other) ?? [0, -1];
      for (const [start, end] of data.parts(o)) {
        if (end > known[1]) known[0] += end - Math.max(start, known[1]);
        known[1] = Math.max(known[1], end);
      }
      covered.set(other, known);
    }
  }
  let best: Closest | null = null;
  for (const [other, [chars]] of covered) {
    if (!best || chars > best.share) best = { page: other, share: chars, partners: partners.size };
  }
  return best && { ...best, share: Math.min(best.share / Math.max(data.raw.pages.chars[page], 1), 1) };
}
