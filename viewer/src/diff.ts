/** Two places of a passage side by side: rows of stretches that are the same, differ, or stand in one of them only. */

import { CodePoints, type Data } from "./data";
import { oneLine } from "./words";

export type Mark = "same" | "changed" | "between";
export interface Piece {
  mark: Mark;
  text: string;
}
export interface Row {
  a: Piece[];
  b: Piece[];
}

interface Segment {
  mark: Mark;
  a: [number, number];
  b: [number, number];
}

/** What two places have in common; offsets are from their starts. */
export function segments(partsA: [number, number][], partsB: [number, number][], changes: number[] | null): Segment[] {
  const out: Segment[] = [],
    queue = spelt(changes);
  let atA = 0,
    atB = 0;
  partsA.forEach(([a0, a1], i) => {
    const [b0, b1] = partsB[i];
    push(out, "between", [atA, a0], [atB, b0]);
    let x = a0,
      y = b0;
    while (queue.length && queue[0].a[0] <= a1 && queue[0].b[0] <= b1 && queue[0].a[1] <= a1 && queue[0].b[1] <= b1) {
      const change = queue.shift()!;
      push(out, "same", [x, change.a[0]], [y, change.b[0]]);
      push(out, "changed", change.a, change.b);
      [x, y] = [change.a[1], change.b[1]];
    }
    push(out, "same", [x, a1], [y, b1]);
    [atA, atB] = [a1, b1];
  });
  return out;
}

function push(out: Segment[], mark: Mark, a: [number, number], b: [number, number]): void {
  if (a[1] > a[0] || b[1] > b[0]) out.push({ mark, a, b });
}

function spelt(changes: number[] | null): { a: [number, number]; b: [number, number] }[] {
  const out: { a: [number, number]; b: [number, number] }[] = [];
  let atA = 0,
    atB = 0;
  for (let i = 0; changes && i < changes.length; i += 4) {
    const a0 = atA + changes[i],
      b0 = atB + changes[i + 1];
    atA = a0 + changes[i + 2];
    atB = b0 + changes[i + 3];
    out.push({ a: [a0, atA], b: [b0, atB] });
  }
  return out;
}

/** Rows that stand beside each other; they break where both texts begin a paragraph. */
export function rows(a: CodePoints, b: CodePoints, found: Segment[], paragraph: RegExp): Row[] {
  const out: Row[] = [];
  let row: Row = { a: [], b: [] };
  const flush = () => {
    if (row.a.length || row.b.length) out.push(row);
    row = { a: [], b: [] };
  };
  const add = (side: Piece[], mark: Mark, text: string) => {
    const last = side[side.length - 1];
    if (last?.mark === mark) last.text += text;
    else if (text.trim() || (text && side.length)) side.push({ mark, text });
  };
  for (const { mark, a: spanA, b: spanB } of found) {
    const left = a.slice(...spanA),
      right = b.slice(...spanB);
    if (mark === "between") {
      flush();
      if (left.trim()) row.a.push({ mark, text: left.trim() });
      if (right.trim()) row.b.push({ mark, text: right.trim() });
      flush();
      continue;
    }
    const linesA = left.split(paragraph),
      linesB = right.split(paragraph);
    if (mark === "same" && linesA.length === linesB.length) {
      linesA.forEach((line, n) => {
        if (n) flush();
        add(row.a, mark, line);
        add(row.b, mark, linesB[n]);
      });
    } else {
      add(row.a, mark, left);
      add(row.b, mark, right);
    }
  }
  flush();
  return out;
}

/** Rows of a group's representative and another of its places; null where a text is not in the file. */
export function compared(data: Data, group: number, place: number): Row[] | null {
  const first = data.representative(group),
    a = data.text(first),
    b = data.text(place);
  if (!a || !b) return null;
  const from = (o: number) =>
    data.parts(o).map(([x, y]) => [x - data.raw.places.start[o], y - data.raw.places.start[o]] as [number, number]);
  let [partsA, partsB] = [from(first), from(place)];
  if (partsA.length !== partsB.length) [partsA, partsB] = [[[0, a.length]], [[0, b.length]]];
  const paragraph = data.path(first) || data.path(place) ? /\n/ : /\n\s*\n/;
  return rows(a, b, segments(partsA, partsB, data.raw.places.changes[place]), paragraph);
}

/** Whether a place's text shows anything that the representative's does not. */
export function differs(data: Data, group: number, place: number): boolean {
  const first = data.representative(group),
    { changes, copies } = data.raw.places;
  if (changes[place]) return true;
  if (copies[place] > 1 || copies[first] > 1) return false; // the text, and the same many times in a row
  return data.hasGaps(first) || data.hasGaps(place) || data.text(first)?.text !== data.text(place)?.text;
}

export interface Part {
  side: "both" | "a" | "b";
  mark: Mark;
  text: string;
}

/** One text of both sides, for narrow screens: what is the same once, what differs one after the other. */
export function unified(row: Row): Part[] {
  const out: Part[] = [];
  let i = 0,
    j = 0;
  while (i < row.a.length || j < row.b.length) {
    const x = row.a[i],
      y = row.b[j];
    if (x?.mark === "same" && y?.mark === "same") {
      out.push({ side: "both", mark: "same", text: x.text });
      i++;
      j++;
      continue;
    }
    if (x && x.mark !== "same") out.push({ side: "a", mark: row.a[i++].mark, text: x.text });
    if (y && y.mark !== "same") out.push({ side: "b", mark: row.b[j++].mark, text: y.text });
    if (x?.mark === "same" && !y) out.push({ side: "a", mark: row.a[i++].mark, text: x.text });
    if (y?.mark === "same" && !x) out.push({ side: "b", mark: row.b[j++].mark, text: y.text });
  }
  return out;
}

const CONTEXT = 6, // words beside a change that an excerpt keeps
  CHANGES = 12,
  CHANGE_CHARS = 160;

/** The changes of a text with a few words beside each. */
export function excerpt(parts: Part[]): Part[] {
  const shown = parts.slice(0, 3 * CHANGES);
  return shown.map((part, i) => {
    const words = part.text.split(/\s+/).filter(Boolean);
    if (part.mark !== "same") return { ...part, text: oneLine(part.text, CHANGE_CHARS) };
    const last = i === shown.length - 1;
    if (words.length <= CONTEXT * (i && !last ? 2 : 1) + 1) return { ...part, text: words.join(" ") };
    const before = i ? words.slice(0, CONTEXT) : [],
      after = last ? [] : words.slice(-CONTEXT);
    return { ...part, text: [...before, "…", ...after].join(" ") };
  });
}
