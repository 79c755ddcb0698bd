/** The arc diagram of a page: arcs join each place with the next one of its passage (Wattenberg, "The Shape of Song", 2002). */

import type { Data } from "./data";
import { placesOn } from "./segments";
import type { Selection } from "./filter";

export interface Arc {
  group: number;
  from: number;
  to: number;
  path: string;
  opacity: number;
  /** Where its number stands, and how high it is. */
  top: [x: number, y: number];
  rise: number;
}
export interface Bar {
  group: number;
  place: number;
  x: number;
  width: number;
  elsewhere: boolean;
  /** A wide one has a bracket below the line: its arc begins in its middle and says nothing of its width. */
  bracket: string | null;
}

export const WIDTH = 1000,
  HEIGHT = 150;
const LEAST = 3, // of 1000: a place that is narrower could not be seen
  BAND = 36; // the width of an arc between wide places: a wider one would be a hill over all of the page

export const BAR = 14,
  BRACKET = 16; // below the line: the bar that is the page, and brackets under wide places

export function arcs(data: Data, selection: Selection, page: number): { arcs: Arc[]; bars: Bar[] } {
  const chars = Math.max(data.raw.pages.chars[page], 1),
    { start, size, page: pageOf, similarity } = data.raw.places;
  const x = (at: number) => (at / chars) * WIDTH,
    places = placesOn(data, selection, page);
  const last = new Map<number, number>(),
    found: Arc[] = [],
    bars: Bar[] = [];
  const widest = places.reduce((most, o) => Math.max(most, start[o]), 0);
  for (const o of places) {
    const g = data.groupOf[o],
      before = last.get(g);
    let elsewhere = false;
    for (let k = data.first[g]; k < data.first[g + 1] && !elsewhere; k++)
      elsewhere = pageOf[k] !== page && selection.places[k] === 1;
    const width = Math.max(x(size[o]), LEAST);
    bars.push({ group: g, place: o, x: x(start[o]), width, elsewhere, bracket: null });
    if (before !== undefined) {
      const opacity = 0.25 + 0.35 * Math.min(similarity[o], similarity[before]);
      const ends = [...foot(x(start[before]), x(data.end(before))), ...foot(x(start[o]), x(data.end(o)))] as const,
        most = Math.max(x(widest), 1);
      found.push({
        group: g,
        from: before,
        to: o,
        opacity,
        path: ribbon(...ends, most),
        top: summit(...ends, most),
        rise: rise(ends[0], ends[3], most),
      });
    }
    last.set(g, o);
  }
  const joined = new Set(found.map((arc) => arc.group));
  for (const bar of bars) if (joined.has(bar.group) && bar.width > BAND) bar.bracket = bracket(bar.x, bar.x + bar.width);
  found.sort((p, q) => size[q.from] - size[p.from]);
  return { arcs: found, bars };
}

/** Where an arc stands on a place: on all of a narrow one, on the middle of a wide one. */
function foot(start: number, end: number): [number, number] {
  const middle = (start + end) / 2;
  return end - start > BAND ? [middle - BAND / 2, middle + BAND / 2] : [start, end];
}

/** A bracket below the line, drawn inwards by a little: two copies that follow each other have two. */
export function bracket(start: number, end: number): string {
  const top = HEIGHT + BAR + 5,
    n = (value: number) => value.toFixed(1);
  return `M${n(start + 2)} ${top}V${top + BRACKET - 7}H${n(end - 2)}V${top}`;
}

const LABELS = 12,
  APART = 22,
  BADGE = 40, // pixels
  RIM = 16;

/** The arcs that have room for a number at their summit in a picture of so many pixels, the widest first. */
export function labelled(arcs: Arc[], pixels = WIDTH): Arc[] {
  const out: Arc[] = [],
    apart = (BADGE * WIDTH) / Math.max(pixels, BADGE);
  for (const arc of arcs) {
    const near = out.some(
      (other) => Math.abs(other.top[0] - arc.top[0]) < apart && Math.abs(other.top[1] - arc.top[1]) < APART,
    );
    if (!near && out.length < LABELS) out.push(arc);
  }
  return out;
}

/** The middle of a ring's highest place; of a broad ring, near its outer border. */
function summit(a0: number, a1: number, b0: number, b1: number, widest: number): [number, number] {
  const outer = (b1 - a0) / 2,
    inner = Math.max((b0 - a1) / 2, 0);
  const scale = steepness(outer, widest);
  return [(a0 + b1) / 2, HEIGHT - outer * scale + Math.min(((outer - inner) / 2) * scale, RIM)];
}

const steepness = (outer: number, widest: number) => Math.min((HEIGHT - 4) / Math.max(outer, 1), (2 * HEIGHT) / widest);

const rise = (a0: number, b1: number, widest: number) => ((b1 - a0) / 2) * steepness((b1 - a0) / 2, widest);

/** A half ring from [a0, a1) to [b0, b1) above the base line; its height follows its span, the widest one fills the picture. */
export function ribbon(a0: number, a1: number, b0: number, b1: number, widest: number): string {
  a1 = Math.max(a1, a0 + LEAST);
  b1 = Math.max(b1, b0 + LEAST);
  const outer = (b1 - a0) / 2,
    inner = Math.max((b0 - a1) / 2, 0),
    scale = steepness(outer, widest);
  const n = (value: number) => value.toFixed(1);
  return (
    `M${n(a0)} ${HEIGHT}A${n(outer)} ${n(outer * scale)} 0 0 1 ${n(b1)} ${HEIGHT}H${n(b0)}` +
    (inner > 0 ? `A${n(inner)} ${n(inner * scale)} 0 0 0 ${n(a1)} ${HEIGHT}` : `H${n(a1)}`) +
    "Z"
  );
}
