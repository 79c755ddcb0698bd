import { describe, expect, it } from "vitest";
import { sharedGroups, toldCauses, toldRepeats, toldVerdicts } from "../src/amounts";
import { EVERYTHING, select } from "../src/filter";
import { made } from "./help";

const place = (page: string, text: string, similarity = 1) => ({ page, start: 0, text, similarity });
const data = made({
  pages: [{ id: "a", title: "Harbour" }, { id: "b" }, { id: "c" }],
  groups: [
    { places: [place("a", "the old bridge opens"), place("b", "the old bridge opens")] },
    { kind: "near", places: [place("a", "a ferry"), place("b", "a ferry", 0.9), place("c", "a fery", 0.6)] },
    { places: [place("b", "Imprint"), place("c", "Imprint")] },
  ],
  verdicts: [
    { page: "a", kind: "shared", groups: [0, 1] },
    { page: "b", kind: "template", groups: [2] },
    { page: "c", kind: "template", groups: [2] },
    { page: "c", kind: "copy-of", groups: [1] },
    { page: "c", kind: "shared", groups: [] }, // its passages are not in the file
  ],
});
const cause = { text: "", remedy: "", selector: "", pages: 2, examples: [] };
data.raw.causes = [
  { ...cause, kind: "template", groups: [2] },
  { ...cause, kind: "rendered-twice", groups: [0, 1] },
];
data.raw.repeats = { page: [0, 2], text: ["Read more", "Ferry"], lines: [[], []] };

const filtered = (change: Partial<typeof EVERYTHING>) => ({ ...EVERYTHING, ...change });
const shown = (change: Partial<typeof EVERYTHING>, ignored: string[] = []) => {
  const filter = filtered(change),
    selection = select(data, filter, new Set(ignored));
  return {
    verdicts: [...toldVerdicts(data, selection, filter)],
    causes: toldCauses(data, selection, filter).map((one) => [one.kind, ...one.groups]),
  };
};

describe("what it amounts to", () => {
  it("is all of it where nothing is filtered", () => {
    const { verdicts, causes } = shown({});
    expect(verdicts).toEqual([
      [0, [0, 1]],
      [1, [2]],
      [2, [2]],
      [3, [1]],
      [4, []],
    ]);
    expect(causes).toEqual([
      ["template", 2],
      ["rendered-twice", 0, 1],
    ]);
  });
  it("is that of the passages that pass", () => {
    expect(shown({ words: 3 })).toEqual({ verdicts: [[0, [0]]], causes: [["rendered-twice", 0]] });
    expect(shown({ q: "imprint" }).causes).toEqual([["template", 2]]);
    expect(shown({ q: "zzzzqq" })).toEqual({ verdicts: [], causes: [] });
  });
  it("is that of the places that pass: a page whose place is hidden is not judged", () => {
    expect(shown({ similarity: 0.8 }).verdicts.map(([v]) => v)).toEqual([0, 1, 2]);
    expect(shown({ hideTemplate: true })).toEqual({
      verdicts: [
        [0, [0, 1]],
        [3, [1]],
      ],
      causes: [["rendered-twice", 0, 1]],
    });
  });
  it("is of the kind that is asked for", () => {
    expect(shown({ verdict: "copy-of" })).toEqual({ verdicts: [[3, [1]]], causes: [] });
    expect(shown({ verdict: "template" }).causes).toEqual([["template", 2]]);
  });
  it("is without what is ignored; of passages that are not in the file nobody can ignore one", () => {
    expect(shown({}, ["print0", "print2"]).verdicts).toEqual([
      [0, [1]],
      [3, [1]],
      [4, []],
    ]);
  });
  it("has the small repeats that pass", () => {
    const rows = (change: Partial<typeof EVERYTHING>) => toldRepeats(data, filtered(change));
    expect(rows({})).toEqual([0, 1]);
    expect([rows({ words: 2 }), rows({ words: 3 })]).toEqual([[0], []]);
    expect([rows({ q: "more READ" }), rows({ q: "harbour" }), rows({ q: "zzzzqq" })]).toEqual([[0], [0], []]);
    expect([rows({ on: "c" }), rows({ on: "a", and: "c" })]).toEqual([[1], []]);
    expect([rows({ kind: "exact" }), rows({ where: "within" })]).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect([rows({ kind: "near" }), rows({ where: "across" }), rows({ verdict: "shared" })]).toEqual([[], [], []]);
  });
});

it("a passage with places that are not in the file is judged on their pages, too", () => {
  const part = made({
    pages: ["a", "b", "c"].map((id) => ({ id })),
    groups: [{ places: [place("a", "one two"), place("b", "one two")] }],
    verdicts: [{ page: "c", kind: "template", groups: [0] }],
  });
  expect([...toldVerdicts(part, select(part, EVERYTHING, new Set()), EVERYTHING).keys()]).toEqual([0]);
});

it("shared passages are listed once, the longest first, without what a copy of a page tells already", () => {
  const places = (text: string, ...pages: string[]) => ({ places: pages.map((page) => place(page, text)) });
  const data = made({
    pages: ["a", "b", "c", "d"].map((id) => ({ id })),
    groups: [
      places("one two", "a", "b"),
      places("one two three", "a", "c"),
      places("all of it", "c", "d"),
      places("four words of it", "b", "c", "d"),
    ],
  });
  expect(sharedGroups(data, [0, 1, 0, 3, 1, 2, 3], [2, 3])).toEqual([3, 1, 0]);
  expect(sharedGroups(data, [1, 2], [])).toEqual([1, 2]);
});
