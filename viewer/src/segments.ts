/** A page's text in order, cut where repeated passages begin and end. */

import type { CodePoints, Data } from "./data";
import type { Selection } from "./filter";

export interface Run {
  text: string;
  /** Places whose matched text this is, the longest first. */
  places: number[];
}

export interface Paragraph {
  start: number;
  /** Line in the source on which it begins, where that is known. */
  line: number | null;
  runs: Run[];
  /** Places that begin in this paragraph, in order. */
  begins: number[];
  /** Characters that are not in the file; then there are no runs. */
  missing: number;
}

/** Where a place is named in the text: where it begins, and where it goes on behind something else. */
export interface Label {
  place: number;
  goesOn: boolean;
}

/** The labels of a paragraph: those above it, of the place whose text all of it is, and those before each of its runs. */
export interface Labelled {
  whole: number | null;
  above: Label[];
  inside: Label[][];
}

/** The selected places of a page, by start, the longer first. */
export function placesOn(data: Data, selection: Selection, page: number): number[] {
  return Array.from(data.pagePlaces.subarray(data.pageFirst[page], data.pageFirst[page + 1])).filter(
    (o) => selection.places[o],
  );
}

/** The paragraphs of a page: all of its text where the file has it, else an outline of its repeated passages. */
export function paragraphs(data: Data, selection: Selection, page: number): Paragraph[] {
  const places = placesOn(data, selection, page),
    text = data.pageText(page);
  const inLines = !places.some((o) => data.path(o)) && (text ? /\n\s*\n/.test(text.text) : false),
    newlines = inLines ? 2 : 1;
  if (text) {
    const found = cut(data, places, 0, text.length, (a, b) => text.slice(a, b), newlines),
      lines = data.pageLines(page);
    for (const paragraph of found) paragraph.line = lines?.of(paragraph.start) ?? null;
    return found;
  }
  const out: Paragraph[] = [];
  let reached = 0;
  for (const block of blocksOf(data, places)) {
    if (block.start > reached) out.push(gap(reached, block.start));
    out.push(...cut(data, block.places, block.start, block.end, block.slice, newlines));
    reached = block.end;
  }
  const chars = data.raw.pages.chars[page];
  if (chars > reached) out.push(gap(reached, chars));
  return out;
}

function gap(start: number, end: number): Paragraph {
  return { start, line: null, runs: [], begins: [], missing: end - start };
}

/** Every stretch that is marked has its label where it begins: a place once, and again where its text goes on behind another. */
export function labels(all: Paragraph[]): Labelled[] {
  const begun = new Set<number>();
  let before: number[] = [];
  const fresh = (places: number[]): Label[] => {
    const found = places.filter((o) => !before.includes(o)).map((o) => ({ place: o, goesOn: begun.has(o) }));
    found.forEach(({ place }) => begun.add(place));
    before = places;
    return found;
  };
  return all.map((paragraph) => {
    const [first] = paragraph.runs;
    if (!first) {
      before = [];
      return { whole: null, above: fresh(paragraph.begins), inside: [] };
    }
    const whole = paragraph.runs.every((run) => run.places[0] === first.places[0]) ? (first.places[0] ?? null) : null;
    const inside = paragraph.runs.map((run) => (run.text.trim() ? fresh(run.places) : []));
    const above = inside[0].filter(({ place }) => place === whole);
    inside[0] = inside[0].filter(({ place }) => place !== whole);
    return { whole, above, inside };
  });
}

interface Block {
  start: number;
  end: number;
  places: number[];
  slice: (a: number, b: number) => string;
}

/** Stretches that overlapping places cover together, with the texts known of them. */
function blocksOf(data: Data, places: number[]): Block[] {
  const out: Block[] = [];
  for (const o of places) {
    const start = data.raw.places.start[o],
      end = data.end(o),
      last = out[out.length - 1];
    if (last && start < last.end) {
      last.places.push(o);
      last.end = Math.max(last.end, end);
    } else out.push({ start, end, places: [o], slice: () => "" });
  }
  for (const block of out) {
    const known = block.places.map((o) => [data.raw.places.start[o], data.end(o), textOf(data, o)] as const);
    block.slice = (a, b) => {
      let text = "",
        at = a;
      for (const [start, end, own] of known) {
        if (end <= at || start > at || at >= b) continue;
        const stop = Math.min(end, b);
        text += own.slice(at - start, stop - start);
        at = stop;
      }
      return text;
    };
  }
  return out;
}

function textOf(data: Data, o: number): { slice: (a: number, b: number) => string } {
  const text: CodePoints | null = data.text(o);
  return text ?? { slice: (a) => (a === 0 ? data.groupText(data.groupOf[o]) : "") };
}

/** Paragraphs of a stretch; so many line feeds end one: one in HTML, two in text whose lines are broken. */
function cut(
  data: Data,
  places: number[],
  from: number,
  to: number,
  slice: (a: number, b: number) => string,
  least: number,
): Paragraph[] {
  const events = borders(data, places, from, to),
    out: Paragraph[] = [];
  const starts = new Map<number, number[]>();
  for (const o of places) {
    const at = data.raw.places.start[o];
    if (!starts.has(at)) starts.set(at, []);
    starts.get(at)!.push(o);
  }
  const begin = (start: number): Paragraph => ({ start, line: null, runs: [], begins: [], missing: 0 });
  let paragraph = begin(from);
  const active = new Set<number>();
  let feeds = 0; // since the last word
  const end = (at: number) => {
    if (feeds < least) return;
    out.push(paragraph);
    paragraph = begin(at);
    feeds = 0;
  };
  for (let i = 0; i < events.length; i++) {
    const [at, opens, closes] = events[i];
    closes.forEach((o) => active.delete(o));
    opens.forEach((o) => active.add(o));
    const begins = starts.get(at) ?? [],
      next = i + 1 < events.length ? events[i + 1][0] : to;
    if (next <= at) continue;
    const own = [...active].sort((a, b) => data.raw.places.size[b] - data.raw.places.size[a] || a - b);
    if (begins.length) end(at);
    paragraph.begins.push(...begins);
    let position = at;
    slice(at, next)
      .split("\n")
      .forEach((line, n) => {
        if (n) feeds++;
        const start = position;
        position += codePoints(line) + 1;
        if (!line.trim() && feeds) return;
        end(start);
        if (!paragraph.runs.length) paragraph.start = start;
        if (line) paragraph.runs.push({ text: feeds ? `\n${line}` : line, places: own });
        feeds = 0;
      });
  }
  out.push(paragraph);
  return out.filter((p) => p.runs.length || p.begins.length);
}

function codePoints(text: string): number {
  return /[\ud800-\udbff]/.test(text) ? [...text].length : text.length;
}

type Border = [at: number, opens: number[], closes: number[]];

/** Where parts of places begin and end, in order; first and last border are those of the text. */
function borders(data: Data, places: number[], from: number, to: number): Border[] {
  const found = new Map<number, Border>();
  const at = (position: number): Border => {
    if (!found.has(position)) found.set(position, [position, [], []]);
    return found.get(position)!;
  };
  at(from);
  for (const o of places) {
    at(data.raw.places.start[o]);
    for (const [start, end] of data.parts(o)) {
      at(start)[1].push(o);
      if (end < to) at(end)[2].push(o);
    }
  }
  return [...found.values()].sort((a, b) => a[0] - b[0]);
}
