/** The report as the viewer knows it: columns as dedup/report/view.py wrote them, and indices over them. */

import { oneLine, shortId } from "./words";

export type VerdictKind = "rendered-twice" | "teaser" | "navigation" | "refrain" | "template" | "shared" | "copy-of";
export type Kind = "exact" | "near" | "contained";

export interface Payload {
  format: string;
  version: string;
  digest: string;
  command: string | null;
  settings: [string, unknown][];
  asked: Record<string, string | number | null>;
  comparison: boolean;
  /** Of a comparison, what its shares say of text that is not the same word for word. */
  edited: string;
  summary: Record<string, number>;
  /** The verdict on several pages in a sentence, where there is one. */
  headline: string | null;
  words: number;
  pages: {
    id: string[];
    source: (string | null)[];
    title: (string | null)[];
    words: number[];
    chars: number[];
    duplicate: number[];
    within: number[];
    across: number[];
    reference: number[];
    text: (string | null)[];
    /** Of a text that is there, points from which its lines are counted: line feeds since the one before, and lines beyond these. */
    lines: (number[] | null)[];
  };
  groups: {
    id: number[];
    kind: Kind[];
    tokens: number[];
    similarity: number[];
    blocks: number[];
    representative: number[];
    places: number[];
    all_places: number[];
    /** How often the text stands: copies that follow each other at once are one place. */
    count: number[];
    truncated: number[];
    related: number[][];
    /** The passage of which it is a part, -1: of none. */
    part_of: number[];
    beginning: (string | null)[];
    compared: number[];
    fingerprint: string[];
  };
  places: {
    page: number[];
    start: number[];
    size: number[];
    line: number[];
    lines: number[];
    path: number[];
    similarity: number[];
    jaccard: number[];
    containment: number[];
    text: number[];
    copies: number[];
    parts: (number[] | null)[];
    changes: (number[] | null)[];
  };
  texts: string[];
  paths: string[];
  verdicts: { page: number[]; kind: VerdictKind[]; text: string[]; groups: number[][] };
  repeats: { page: number[]; text: string[]; lines: number[][] };
  causes: {
    kind: VerdictKind;
    text: string;
    remedy: string;
    selector: string;
    pages: number;
    examples: number[];
    /** Its passages, the largest first. */
    groups: number[];
  }[];
  troubles: Trouble[];
  /** What was read with a guess: nothing was lost. */
  notes: Trouble[];
  misses: { why: string; measures: string[]; sides: [number, number, number, string][] }[] | null;
  all: { groups: number; pages: number; troubles: number; notes: number };
}

/** What was left out ("" of a fault that cost nothing whole), why, places (short name, full name, lines), how many more. */
export type Trouble = [string, string, [string, string, number[]][], number];

const CALLED = 60; // characters of a page's name in a list

export const FORMAT = "dedup-view/1";
/** What a place is for the figures: again on its own page, only on other pages, or of the site's template, menu or refrain. */
export const WITHIN = 0,
  ACROSS = 1,
  TEMPLATE = 2;
export const FURNITURE = new Set<VerdictKind>(["template", "navigation", "refrain"]);

/** A text cut by code points, as Python counts them, whatever its letters. */
export class CodePoints {
  private units: Uint32Array | null = null;

  constructor(readonly text: string) {
    if (/[\ud800-\udbff][\udc00-\udfff]/.test(text)) this.units = unitOffsets(text);
  }

  get length(): number {
    return this.units ? this.units.length - 1 : this.text.length;
  }

  slice(start: number, end: number): string {
    return this.units
      ? this.text.slice(this.units[clamp(start, 0, this.length)], this.units[clamp(end, 0, this.length)])
      : this.text.slice(start, end);
  }
}

function unitOffsets(text: string): Uint32Array {
  const out: number[] = [];
  for (let i = 0; i < text.length; i++) {
    out.push(i);
    const code = text.charCodeAt(i),
      next = text.charCodeAt(i + 1);
    if (code >= 0xd800 && code < 0xdc00 && next >= 0xdc00 && next < 0xe000) i++;
  }
  out.push(text.length);
  return Uint32Array.from(out);
}

/** Lines of a page's text in its source; asked for in ascending order, so that each line feed is counted once. */
export class Lines {
  private at = 0;
  private feeds = 0;
  private next = 0;
  private point = 0;
  private line = 0;

  constructor(
    private text: CodePoints,
    private steps: number[],
  ) {}

  /** The line on which an offset stands; null before the first point. */
  of(offset: number): number | null {
    this.feeds += this.text.slice(this.at, offset).split("\n").length - 1;
    this.at = Math.max(this.at, offset);
    for (; this.next < this.steps.length && this.point + this.steps[this.next] <= this.feeds; this.next += 2) {
      this.point += this.steps[this.next];
      this.line += this.steps[this.next] + this.steps[this.next + 1];
    }
    return this.next ? this.line + this.feeds - this.point : null;
  }
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

export class Data {
  readonly groups: number;
  readonly pages: number;
  readonly places: number;
  /** First place of each group, one longer than the groups; group of each place. */
  readonly first: Int32Array;
  readonly groupOf: Int32Array;
  /** Places of each page, by start: rows `pageFirst[p]` to `pageFirst[p + 1]` of `pagePlaces`. */
  readonly pageFirst: Int32Array;
  readonly pagePlaces: Int32Array;
  /** WITHIN, ACROSS or TEMPLATE of each place, and the verdict on it where there is one (a row of the verdicts, else -1). */
  readonly use: Uint8Array;
  readonly verdictOf: Int32Array;
  private texts = new Map<number, CodePoints | null>();
  private words: string[] = [];
  private nested = new Map<number, number[]>();
  /** How many pages have a title, as it is shown. */
  private titled = new Map<string, number>();

  constructor(readonly raw: Payload) {
    this.groups = raw.groups.id.length;
    this.pages = raw.pages.id.length;
    this.places = raw.places.page.length;
    this.first = offsets(raw.groups.places);
    this.groupOf = new Int32Array(this.places);
    for (let g = 0; g < this.groups; g++) this.groupOf.fill(g, this.first[g], this.first[g + 1]);
    [this.pageFirst, this.pagePlaces] = byPage(raw, this.pages);
    this.verdictOf = verdictsOf(raw, this);
    this.use = this.uses();
    for (let p = 0; p < this.pages; p++) {
      const title = this.shortTitle(p);
      this.titled.set(title, (this.titled.get(title) ?? 0) + 1);
    }
    raw.groups.part_of.forEach((leader, g) => {
      if (leader < 0) return;
      if (!this.nested.has(leader)) this.nested.set(leader, []);
      this.nested.get(leader)?.push(g);
    });
  }

  /** The passages that are parts of one. */
  partsOf(group: number): number[] {
    return this.nested.get(group) ?? [];
  }

  /** How many of some passages are parts of others. */
  countParts(groups: ArrayLike<number>): number {
    return Array.from(groups).filter((g) => this.raw.groups.part_of[g] >= 0).length;
  }

  /** Number of a group, as people read it: its id, the same in all formats of a report. */
  number(group: number): number {
    return this.raw.groups.id[group];
  }

  representative(group: number): number {
    return this.first[group] + this.raw.groups.representative[group];
  }

  end(place: number): number {
    return this.raw.places.start[place] + this.raw.places.size[place];
  }

  /** Matched stretches of a place, in code points of its page. */
  parts(place: number): [number, number][] {
    const { start, size, parts } = this.raw.places,
      flat = parts[place];
    if (!flat) return [[start[place], start[place] + size[place]]];
    const out: [number, number][] = [];
    for (let i = 0; i < flat.length; i += 2) out.push([start[place] + flat[i], start[place] + flat[i] + flat[i + 1]]);
    return out;
  }

  pageText(page: number): CodePoints | null {
    if (!this.texts.has(page)) {
      const text = this.raw.pages.text[page];
      this.texts.set(page, text === null ? null : new CodePoints(text));
    }
    return this.texts.get(page)!;
  }

  /** Its lines in the source, where they are known. */
  pageLines(page: number): Lines | null {
    const steps = this.raw.pages.lines[page],
      text = steps && this.pageText(page);
    return text ? new Lines(text, steps) : null;
  }

  /** The text of a place from start to end; null where it is not in the file. */
  text(place: number): CodePoints | null {
    const row = this.raw.places.text[place];
    if (row >= 0) return new CodePoints(this.raw.texts[row]);
    if (row === -2) return null;
    const page = this.pageText(this.raw.places.page[place]);
    return page && new CodePoints(page.slice(this.raw.places.start[place], this.end(place)));
  }

  /** The representative's matched text, or the beginning of it where there was no room for more. */
  groupText(group: number): string {
    return this.matched(this.representative(group)) ?? this.raw.groups.beginning[group] ?? "";
  }

  /** The matched stretches of a place, with a mark where words were left out; null where its text is not in the file. */
  matched(place: number): string | null {
    const text = this.text(place),
      from = this.raw.places.start[place];
    if (!text || !this.raw.places.parts[place]) return text && text.text;
    let out = "",
      reached = from;
    for (const [start, end] of this.parts(place)) {
      if (out) out += text.slice(reached - from, start - from).trim() ? "\n\n…\n\n" : "\n\n";
      out += text.slice(start - from, end - from);
      reached = end;
    }
    return out;
  }

  /** Whether other words stand between the matched stretches of a place. */
  hasGaps(place: number): boolean {
    if (!this.raw.places.parts[place]) return false;
    const text = this.text(place),
      from = this.raw.places.start[place];
    return this.parts(place).some(
      ([start], i, all) =>
        i > 0 && (text ? text.slice(all[i - 1][1] - from, start - from).trim() !== "" : start - all[i - 1][1] > 2),
    );
  }

  /** The same in small letters, to search in. */
  searched(group: number): string {
    return (this.words[group] ??= this.groupText(group).toLowerCase());
  }

  path(place: number): string | null {
    const row = this.raw.places.path[place];
    return row < 0 ? null : this.raw.paths[row];
  }

  pageName(page: number): string {
    return this.raw.pages.id[page] ?? "?";
  }

  shortName(page: number, limit: number): string {
    return shortId(this.pageName(page), limit);
  }

  title(page: number): string | null {
    return this.raw.pages.title[page];
  }

  /** What a page is called among others: its title, or its id where there is none, or other pages have the same. */
  called(page: number): string {
    return this.hasOwnTitle(page) ? this.shortTitle(page) : this.shortName(page, CALLED);
  }

  hasOwnTitle(page: number): boolean {
    const title = this.shortTitle(page);
    return title !== "" && this.titled.get(title) === 1;
  }

  private shortTitle(page: number): string {
    return oneLine(this.title(page) ?? "", CALLED);
  }

  verdictKind(place: number): VerdictKind | null {
    return this.verdictOf[place] < 0 ? null : this.raw.verdicts.kind[this.verdictOf[place]];
  }

  /** Whether something was left out of the file. */
  get partial(): boolean {
    return this.raw.all.groups > this.groups || this.raw.all.pages > this.pages;
  }

  private uses(): Uint8Array {
    const use = new Uint8Array(this.places),
      { page } = this.raw.places;
    for (let g = 0; g < this.groups; g++) {
      const on = new Map<number, number>();
      for (let o = this.first[g]; o < this.first[g + 1]; o++)
        on.set(page[o], (on.get(page[o]) ?? 0) + this.raw.places.copies[o]);
      for (let o = this.first[g]; o < this.first[g + 1]; o++) {
        const kind = this.verdictKind(o);
        use[o] = kind && FURNITURE.has(kind) ? TEMPLATE : on.get(page[o])! > 1 ? WITHIN : ACROSS;
      }
    }
    return use;
  }
}

function offsets(counts: number[]): Int32Array {
  const out = new Int32Array(counts.length + 1);
  counts.forEach((count, i) => {
    out[i + 1] = out[i] + count;
  });
  return out;
}

function byPage(raw: Payload, pages: number): [Int32Array, Int32Array] {
  const { page, start, size } = raw.places,
    counts = new Array<number>(pages).fill(0);
  for (const p of page) counts[p]++;
  const first = offsets(counts),
    next = first.slice(),
    order = new Int32Array(page.length);
  page.forEach((p, o) => {
    order[next[p]++] = o;
  });
  for (let p = 0; p < pages; p++) {
    order.subarray(first[p], first[p + 1]).sort((a, b) => start[a] - start[b] || size[b] - size[a] || a - b);
  }
  return [first, order];
}

function verdictsOf(raw: Payload, data: { first: Int32Array; places: number }): Int32Array {
  const out = new Int32Array(data.places).fill(-1),
    { page, groups } = raw.verdicts;
  const rows = new Map<number, Map<number, number>>();
  page.forEach((p, v) =>
    groups[v].forEach((g) => {
      if (!rows.has(g)) rows.set(g, new Map());
      const own = rows.get(g)!;
      if (!own.has(p)) own.set(p, v);
    }),
  );
  for (const [g, own] of rows) {
    for (let o = data.first[g]; o < data.first[g + 1]; o++) out[o] = own.get(raw.places.page[o]) ?? -1;
  }
  return out;
}

/** Read what the report's file holds. */
export async function decode(base64: string): Promise<Payload> {
  const packed = atob(base64.trim()),
    bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const payload = JSON.parse(await new Response(stream).text()) as Payload;
  if (payload.format !== FORMAT) throw new Error(`this viewer reads ${FORMAT}, the file holds ${payload.format}`);
  return payload;
}
