/** Quotes of passages that can be told apart in a list: where texts begin alike, from where they differ. */

import type { Data } from "./data";
import { oneLine } from "./words";

const LOOKED_AT = 4000, // characters of a text
  LEAST = 40, // that texts begin alike before they are quoted from further on
  BEFORE = 3, // words before the difference
  HEAD = 24; // characters of the beginning

const plain = (text: string) => text.slice(0, LOOKED_AT).replace(/\s+/g, " ").trim();

/** Of each text, how many characters of it (in one line) another one that is not just the same begins with, too. */
export function alike(texts: string[]): number[] {
  const lines = texts.map(plain),
    sorted = [...new Set(lines)].sort(),
    most = new Map<string, number>();
  sorted.forEach((line, k) => {
    const before = k ? common(sorted[k - 1], line) : 0;
    most.set(line, before);
    if (k) most.set(sorted[k - 1], Math.max(most.get(sorted[k - 1])!, before));
  });
  return lines.map((line) => most.get(line)!);
}

function common(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a.charCodeAt(n) === b.charCodeAt(n)) n++;
  return n;
}

/** Quotes of passages of one list, in at most so many characters. */
export function quotes(data: Data, groups: ArrayLike<number>): (i: number, limit: number) => string {
  const texts = Array.from(groups, (g) => data.groupText(g)),
    same = alike(texts);
  return (i, limit) => apart(texts[i], same[i], limit);
}

/** A text's first words; of one that begins like another a few of them, and those from shortly before they differ. */
export function apart(text: string, same: number, limit: number): string {
  const line = plain(text);
  if (same < LEAST || same >= line.length) return oneLine(text, limit);
  const from = line
      .slice(0, same)
      .split(" ")
      .slice(0, -BEFORE - 1)
      .join(" ").length,
    head = oneLine(line, HEAD);
  return `${head}${head.endsWith("…") ? "" : " …"} ${oneLine(line.slice(from), limit - head.length - 1)}`;
}
