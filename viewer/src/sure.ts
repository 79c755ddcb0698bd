/** How sure the links are: the similarities of all places that are not word for word, and the least certain of them. */

import type { Data } from "./data";
import type { Selection } from "./filter";

export const BINS = 20;

/** Places that were linked by likeness: all but representatives and equal texts. */
export function uncertain(data: Data, selection: Selection): number[] {
  const out: number[] = [];
  for (const g of selection.groups) {
    if (data.raw.groups.kind[g] === "exact") continue;
    for (let o = data.first[g]; o < data.first[g + 1]; o++) {
      if (selection.places[o] && o !== data.representative(g) && data.raw.places.similarity[o] < 1) out.push(o);
    }
  }
  return out;
}

export function histogram(data: Data, places: number[]): number[] {
  const bins = new Array<number>(BINS).fill(0);
  for (const o of places) bins[Math.min(Math.floor(data.raw.places.similarity[o] * BINS), BINS - 1)]++;
  return bins;
}

export function leastCertain(data: Data, places: number[], count: number): number[] {
  return [...places].sort((a, b) => data.raw.places.similarity[a] - data.raw.places.similarity[b] || a - b).slice(0, count);
}
