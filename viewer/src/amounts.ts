/** What repeats amount to, of what is shown: the verdicts, causes and small repeats that pass the filters. */

import type { Data, Payload, VerdictKind } from "./data";
import { FURNITURE } from "./data";
import { type Filter, narrows, pagesAsked, pagesNamed, type Selection, wordsOf } from "./filter";

/** Rows of the verdicts that are told, each with those of its passages that are shown on its page. */
export type Told = ReadonlyMap<number, number[]>;

export function toldVerdicts(data: Data, selection: Selection, filter: Filter): Told {
  const { page, kind, groups } = data.raw.verdicts,
    isShown = shownOn(data, selection),
    out = new Map<number, number[]>();
  page.forEach((p, v) => {
    const own = groups[v].filter((g) => isShown(g, p));
    if (passes(kind[v], groups[v], own, filter)) out.set(v, own);
  });
  return out;
}

/** The causes of what is shown, with those of their passages that are. */
export function toldCauses(data: Data, selection: Selection, filter: Filter): Payload["causes"] {
  const chosen = new Set(selection.groups);
  return data.raw.causes.flatMap((cause) => {
    const groups = cause.groups.filter((g) => chosen.has(g));
    return passes(cause.kind, cause.groups, groups, filter) ? [{ ...cause, groups }] : [];
  });
}

/** Rows of the small repeats that pass: they are equal texts, each twice on its page, and nothing was said of them. */
export function toldRepeats(data: Data, filter: Filter): number[] {
  const { page, text } = data.raw.repeats,
    asked = wordsOf(filter.q),
    named = pagesNamed(data, asked),
    sets = pagesAsked(data, filter);
  if (filter.verdict || filter.where === "across" || (filter.kind && filter.kind !== "exact")) return [];
  return [...page.keys()].filter(
    (i) =>
      wordsOf(text[i]).length >= filter.words &&
      (named[page[i]] || asked.every((word) => text[i].toLowerCase().includes(word))) &&
      sets.every((pages) => !pages || pages.has(page[i])),
  );
}

/** Whether something of a kind is told, of whose passages some are shown; of one whose passages are not in the file nothing is known. */
function passes(kind: VerdictKind, all: number[], shown: number[], filter: Filter): boolean {
  if ((filter.verdict && kind !== filter.verdict) || (filter.hideTemplate && FURNITURE.has(kind))) return false;
  return shown.length > 0 || (!all.length && !narrows(filter));
}

/** Whether a passage is shown on a page; one of which no place on the page is in the file is, where it is shown at all. */
function shownOn(data: Data, { groups, places }: Selection): (group: number, page: number) => boolean {
  const chosen = new Set(groups),
    hidden = new Set<number>();
  let at = -1;
  return (g, page) => {
    if (page !== at) {
      const own = data.pagePlaces.subarray(data.pageFirst[page], data.pageFirst[page + 1]);
      hidden.clear();
      for (const o of own) if (!places[o]) hidden.add(data.groupOf[o]);
      for (const o of own) if (places[o]) hidden.delete(data.groupOf[o]);
      at = page;
    }
    return chosen.has(g) && !hidden.has(g);
  };
}

/** The first told verdict that a page's article stands twice: of a single page the answer; -1: there is none. */
export function renderedTwice(data: Data, told: Told): number {
  return data.raw.verdicts.kind.findIndex((kind, v) => kind === "rendered-twice" && told.has(v));
}

/** Shared passages once each, the longest first, without those that another page's verdict as a copy tells already. */
export function sharedGroups(data: Data, shared: number[], copied: number[]): number[] {
  const { tokens, all_places } = data.raw.groups,
    told = new Set(copied);
  const found = new Set(shared.filter((g) => !told.has(g) || all_places[g] > 2));
  return [...found].sort((a, b) => tokens[b] - tokens[a] || a - b);
}

/** The longest of some passages: what a verdict is about. */
export function longest(data: Data, groups: number[]): number | undefined {
  return [...groups].sort((a, b) => data.raw.groups.tokens[b] - data.raw.groups.tokens[a] || a - b)[0];
}
