import { Data, type Kind, type Payload, type VerdictKind } from "../src/data";

export interface Place {
  page: string;
  start: number;
  text: string;
  line?: number;
  copies?: number;
  parts?: number[];
  similarity?: number;
  changes?: number[];
  path?: string;
}
interface Made {
  pages: {
    id: string;
    title?: string;
    text?: string;
    lines?: number[];
    chars?: number;
    within?: number;
    across?: number;
    reference?: boolean;
  }[];
  groups: { kind?: Kind; places: Place[]; fingerprint?: string; partOf?: number }[];
  verdicts?: { page: string; kind: VerdictKind; groups: number[]; text?: string }[];
}

/** A small report as dedup/report/view.py would write it. */
export function payload({ pages, groups, verdicts = [] }: Made): Payload {
  const number = new Map(pages.map((page, n) => [page.id, n])),
    paths: string[] = [],
    texts: string[] = [];
  const places = groups.flatMap((group) => group.places),
    knows = (id: string) => pages[number.get(id)!].text !== undefined;
  return {
    format: "dedup-view/1",
    version: "0",
    digest: "d",
    command: null,
    settings: [],
    asked: {},
    comparison: false,
    edited: "",
    summary: { pages: pages.length, duplicate_share: 0.5 },
    headline: null,
    words: 100,
    pages: {
      id: pages.map((p) => p.id),
      source: pages.map(() => null),
      title: pages.map((p) => p.title ?? null),
      words: pages.map((p) => (p.text ?? "").split(/\s+/).length),
      chars: pages.map((p) => p.chars ?? [...(p.text ?? "")].length),
      duplicate: pages.map(() => 0),
      within: pages.map((p) => p.within ?? 0),
      across: pages.map((p) => p.across ?? 0),
      reference: pages.map((p) => (p.reference ? 1 : 0)),
      text: pages.map((p) => p.text ?? null),
      lines: pages.map((p) => p.lines ?? null),
    },
    groups: {
      id: groups.map((_, n) => n),
      kind: groups.map((g) => g.kind ?? "exact"),
      tokens: groups.map((g) => g.places[0].text.split(" ").length),
      similarity: groups.map((g) => Math.min(...g.places.map((o) => o.similarity ?? 1))),
      blocks: groups.map(() => 1),
      representative: groups.map(() => 0),
      places: groups.map((g) => g.places.length),
      all_places: groups.map((g) => g.places.length),
      count: groups.map((g) => g.places.reduce((sum, o) => sum + (o.copies ?? 1), 0)),
      truncated: groups.map(() => 0),
      related: groups.map(() => []),
      part_of: groups.map((g) => g.partOf ?? -1),
      beginning: groups.map(() => null),
      compared: groups.map(() => 1),
      fingerprint: groups.map((g, n) => g.fingerprint ?? `print${n}`),
    },
    places: {
      page: places.map((o) => number.get(o.page)!),
      start: places.map((o) => o.start),
      size: places.map((o) => [...o.text].length),
      line: places.map((o) => o.line ?? 1),
      lines: places.map(() => 0),
      path: places.map((o) => (o.path === undefined ? -1 : paths.push(o.path) - 1)),
      similarity: places.map((o) => o.similarity ?? 1),
      jaccard: places.map(() => 1),
      containment: places.map(() => 1),
      text: places.map((o) => (knows(o.page) ? -1 : texts.push(o.text) - 1)),
      copies: places.map((o) => o.copies ?? 1),
      parts: places.map((o) => o.parts ?? null),
      changes: places.map((o) => o.changes ?? null),
    },
    texts,
    paths,
    verdicts: {
      page: verdicts.map((v) => number.get(v.page)!),
      kind: verdicts.map((v) => v.kind),
      text: verdicts.map((v) => v.text ?? ""),
      groups: verdicts.map((v) => v.groups),
    },
    repeats: { page: [], text: [], lines: [] },
    causes: [],
    troubles: [],
    notes: [],
    misses: null,
    all: { groups: groups.length, pages: pages.length, troubles: 0, notes: 0 },
  };
}

export const made = (from: Made): Data => new Data(payload(from));
