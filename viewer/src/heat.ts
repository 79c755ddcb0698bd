/** The map of pages: how much of each stands on each other, the pages that share most beside each other. */

import { type Data, TEMPLATE } from "./data";
import { commonGroups } from "./figures";
import { folder, type Selection } from "./filter";

export const MOST_UNITS = 300;

export interface Heat {
  /** Pages, or folders and hosts where there are too many pages: name, its pages, its characters. */
  units: { name: string; pages: number; page: number | null; chars: number }[];
  /** Share of unit i that stands on unit j too, by i * units + j. */
  share: Float32Array;
  grouped: boolean;
  /** Units that are not shown. */
  hidden: number;
}

export function heat(data: Data, selection: Selection, most = MOST_UNITS): Heat {
  const touched = new Uint8Array(data.pages);
  const common = commonGroups(data);
  for (let o = 0; o < data.places; o++) {
    if (selection.places[o] && data.use[o] !== TEMPLATE && !common[data.groupOf[o]]) touched[data.raw.places.page[o]] = 1;
  }
  const pages = [...touched.keys()].filter((p) => touched[p]);
  const grouped = pages.length > most,
    names = new Map<string, number>(),
    units: Heat["units"] = [];
  const unitOf = new Int32Array(data.pages).fill(-1);
  for (const p of pages) {
    const name = grouped ? folder(data.raw.pages.id[p]) : data.raw.pages.id[p];
    if (!names.has(name)) {
      names.set(name, units.length);
      units.push({ name, pages: 0, page: grouped ? null : p, chars: 0 });
    }
    const unit = units[(unitOf[p] = names.get(name)!)];
    unit.pages++;
    unit.chars += data.raw.pages.chars[p];
  }
  return ordered(data, selection, units, unitOf, grouped, most);
}

function ordered(
  data: Data,
  selection: Selection,
  units: Heat["units"],
  unitOf: Int32Array,
  grouped: boolean,
  most: number,
): Heat {
  const shared = sharedChars(data, selection, unitOf),
    sums = new Float64Array(units.length);
  for (const [key, chars] of shared) sums[Math.floor(key / units.length)] += chars;
  const chosen = [...units.keys()].sort((a, b) => sums[b] - sums[a] || a - b).slice(0, most);
  const kept = new Set(chosen),
    edges: [number, number, number][] = [];
  for (const [key, chars] of shared) {
    const i = Math.floor(key / units.length),
      j = key % units.length;
    if (i < j && kept.has(i) && kept.has(j)) {
      const back = shared.get(j * units.length + i) ?? 0;
      edges.push([i, j, Math.max(chars / Math.max(units[i].chars, 1), back / Math.max(units[j].chars, 1))]);
    }
  }
  const order = leaves(
      chosen.sort((a, b) => a - b),
      edges,
    ),
    share = new Float32Array(order.length ** 2);
  order.forEach((i, x) =>
    order.forEach((j, y) => {
      share[x * order.length + y] = Math.min((shared.get(i * units.length + j) ?? 0) / Math.max(units[i].chars, 1), 1);
    }),
  );
  return { units: order.map((i) => units[i]), share, grouped, hidden: units.length - order.length };
}

/** Characters of each unit that stand on each other one (and of a unit on itself again), by i * units + j. */
function sharedChars(data: Data, selection: Selection, unitOf: Int32Array): Map<number, number> {
  const out = new Map<number, number>(),
    size = unitOf.reduce((most, unit) => Math.max(most, unit), 0) + 1;
  const unitsOf = unitsOfGroups(data, selection, unitOf);
  for (let p = 0; p < data.pages; p++) {
    const reached = new Map<number, number>(),
      own = unitOf[p];
    for (let i = data.pageFirst[p]; own >= 0 && i < data.pageFirst[p + 1]; i++) {
      const o = data.pagePlaces[i];
      if (!selection.places[o] || data.use[o] === TEMPLATE) continue;
      for (const [unit, places] of unitsOf.get(data.groupOf[o]) ?? []) {
        if (unit === own && places < 2) continue;
        let at = reached.get(unit) ?? -1,
          sum = 0;
        for (const [start, end] of data.parts(o)) {
          if (end > at) sum += end - Math.max(start, at);
          at = Math.max(at, end);
        }
        reached.set(unit, at);
        out.set(own * size + unit, (out.get(own * size + unit) ?? 0) + sum);
      }
    }
  }
  return out;
}

/** Units of each selected group, and how many places it has on each; template and what stands on very many pages is left out. */
function unitsOfGroups(data: Data, selection: Selection, unitOf: Int32Array): Map<number, Map<number, number>> {
  const out = new Map<number, Map<number, number>>(),
    common = commonGroups(data);
  for (const g of selection.groups) {
    if (common[g]) continue;
    const on = new Map<number, number>();
    for (let o = data.first[g]; o < data.first[g + 1]; o++) {
      const unit = unitOf[data.raw.places.page[o]];
      if (selection.places[o] && data.use[o] !== TEMPLATE) on.set(unit, (on.get(unit) ?? 0) + 1);
    }
    out.set(g, on);
  }
  return out;
}

/** Single linkage: the closest units are joined first, and each cluster stays together. */
export function leaves(units: number[], edges: [number, number, number][]): number[] {
  const cluster = new Map<number, number[]>(units.map((unit) => [unit, [unit]]));
  edges.sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1]);
  for (const [a, b] of edges) {
    const one = cluster.get(a)!,
      other = cluster.get(b)!;
    if (one === other) continue;
    one.push(...other);
    for (const unit of other) cluster.set(unit, one);
  }
  return [...new Set(units.map((unit) => cluster.get(unit)!))].flat();
}
