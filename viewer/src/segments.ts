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
  runs: Run[];
  /** Places that begin in this paragraph, in order. */
  begins: number[];
  /** Characters that are not in the file; then there are no runs. */
  missing: number;
}

/** The selected places of a page, by start, the longer first. */
export function placesOn(data: Data, selection: Selection, page: number): number[] {
  return Array.from(data.pagePlaces.subarray(data.pageFirst[page], data.pageFirst[page + 1])).filter((o) => selection.places[o]);
}

/** The paragraphs of a page: all of its text where the file has it, else an outline of its repeated passages. */
export function paragraphs(data: Data, selection: Selection, page: number): Paragraph[] {
  const places = placesOn(data, selection, page), text = data.pageText(page);
  if (text) return cut(data, places, 0, text.length, (a, b) => text.slice(a, b));
  const out: Paragraph[] = [];
  let reached = 0;
  for (const block of blocksOf(data, places)) {
    if (block.start > reached) out.push(gap(reached, block.start));
    out.push(...cut(data, block.places, block.start, block.end, block.slice));
    reached = block.end;
  }
  const chars = data.raw.pages.chars[page];
  if (chars > reached) out.push(gap(reached, chars));
  return out;
}

function gap(start: number, end: number): Paragraph {
  return { start, runs: [], begins: [], missing: end - start };
}

interface Block { start: number; end: number; places: number[]; slice: (a: number, b: number) => string }

/** Stretches that overlapping places cover together, with the texts known of them. */
function blocksOf(data: Data, places: number[]): Block[] {
  const out: Block[] = [];
  for (const o of places) {
    const start = data.raw.places.start[o], end = data.end(o), last = out[out.length - 1];
    if (last && start < last.end) {
      last.places.push(o);
      last.end = Math.max(last.end, end);
    } else out.push({ start, end, places: [o], slice: () => "" });
  }
  for (const block of out) {
    const known = block.places.map((o) => [data.raw.places.start[o], data.end(o), textOf(data, o)] as const);
    block.slice = (a, b) => {
      let text = "", at = a;
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

function cut(data: Data, places: number[], from: number, to: number, slice: (a: number, b: number) => string): Paragraph[] {
  const events = borders(data, places, from, to), out: Paragraph[] = [];
  const starts = new Map<number, number[]>();
  for (const o of places) {
    const at = data.raw.places.start[o];
    if (!starts.has(at)) starts.set(at, []);
    starts.get(at)!.push(o);
  }
  let paragraph: Paragraph = { start: from, runs: [], begins: [], missing: 0 };
  const active = new Set<number>();
  for (let i = 0; i < events.length; i++) {
    const [at, opens, closes] = events[i];
    closes.forEach((o) => active.delete(o));
    opens.forEach((o) => active.add(o));
    const begins = starts.get(at) ?? [], end = i + 1 < events.length ? events[i + 1][0] : to;
    if (end <= at) continue;
    const own = [...active].sort((a, b) => data.raw.places.size[b] - data.raw.places.size[a] || a - b);
    paragraph.begins.push(...begins);
    slice(at, end).split("\n").forEach((line, n) => {
      if (n) {
        out.push(paragraph);
        paragraph = { start: at, runs: [], begins: [], missing: 0 };
      }
      if (line) paragraph.runs.push({ text: line, places: own });
    });
  }
  out.push(paragraph);
  return out.filter((p) => p.runs.length || p.begins.length);
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
