import { describe, expect, it } from "vitest";
import { EVERYTHING, folder, formatHash, isEmpty, parseHash, select } from "../src/filter";
import { made } from "./help";

const data = made({
  pages: [{ id: "news/a", title: "Harbour" }, { id: "news/b" }, { id: "shop/c" }].map((p) => ({
    ...p,
    text: "x".repeat(100),
  })),
  groups: [
    {
      places: [
        { page: "news/a", start: 0, text: "the old bridge opens" },
        { page: "news/a", start: 50, text: "the old bridge opens" },
      ],
    },
    {
      kind: "near",
      places: [
        { page: "news/a", start: 21, text: "a ferry", similarity: 1 },
        { page: "news/b", start: 0, text: "a ferrY", similarity: 0.9 },
        { page: "shop/c", start: 0, text: "a fery", similarity: 0.6 },
      ],
    },
    {
      places: [
        { page: "news/b", start: 30, text: "Imprint" },
        { page: "shop/c", start: 30, text: "Imprint" },
      ],
    },
  ].map((g) => ({ ...g, places: g.places.map((o) => ({ ...o })) })) as never,
  verdicts: [
    { page: "news/b", kind: "template", groups: [2] },
    { page: "shop/c", kind: "template", groups: [2] },
    { page: "news/a", kind: "rendered-twice", groups: [0] },
  ],
});
// texts of pages are not those of the places here: search looks at page texts, so give them
data.raw.pages.text = [null, null, null];
data.raw.texts = data.raw.places.page.map(
  (_, o) => ["the old bridge opens", "the old bridge opens", "a ferry", "a ferrY", "a fery", "Imprint", "Imprint"][o],
);
data.raw.places.text = data.raw.texts.map((_, o) => o);

const shown = (change: Partial<typeof EVERYTHING>, ignored: string[] = []) => [
  ...select(data, { ...EVERYTHING, ...change }, new Set(ignored)).groups,
];

describe("filters", () => {
  it("without one everything is shown", () => {
    expect(shown({})).toEqual([0, 1, 2]);
    expect([...select(data, EVERYTHING, new Set()).places]).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });
  it("template and menus come last, unless they are asked for in between; that hides nothing", () => {
    const first = made({
      pages: [
        { id: "a", text: "x".repeat(50) },
        { id: "b", text: "x".repeat(50) },
      ],
      groups: [0, 10, 20].map((start) => ({
        places: ["a", "b"].map((page) => ({ page, start, text: "xxxxx" })),
      })),
      verdicts: ["a", "b"].map((page) => ({ page, kind: "template", groups: [0] })),
    });
    const order = (mixed: boolean) => [...select(first, { ...EVERYTHING, mixed }, new Set()).groups];
    expect([order(false), order(true)]).toEqual([
      [1, 2, 0],
      [0, 1, 2],
    ]);
    expect(isEmpty({ ...EVERYTHING, mixed: true })).toBe(true);
    expect(parseHash("#/passages?mixed=1").filter.mixed).toBe(true);
  });
  it("by words of the passage or of a page's name, all of them", () => {
    expect(shown({ q: "BRIDGE old" })).toEqual([0]);
    expect(shown({ q: "bridge ferry" })).toEqual([]);
    expect(shown({ q: "harbour" })).toEqual([0, 1]);
  });
  it("by kind, verdict, place and length", () => {
    expect(shown({ kind: "near" })).toEqual([1]);
    expect(shown({ verdict: "template" })).toEqual([2]);
    expect(shown({ where: "within" })).toEqual([0]);
    expect(shown({ where: "across" })).toEqual([1, 2]);
    expect(shown({ words: 3 })).toEqual([0]);
  });
  it("by similarity upwards: places below it go, and groups with one left", () => {
    const selection = select(data, { ...EVERYTHING, similarity: 0.8 }, new Set());
    expect([...selection.groups]).toEqual([0, 1, 2]);
    expect([...selection.places]).toEqual([1, 1, 1, 1, 0, 1, 1]);
    const more = select(data, { ...EVERYTHING, similarity: 0.95 }, new Set());
    expect([...more.groups]).toEqual([0, 2]);
    expect([...more.places]).toEqual([1, 1, 0, 0, 0, 1, 1]);
  });
  it("by page and folder", () => {
    expect(shown({ on: "shop/c" })).toEqual([1, 2]);
    expect(shown({ on: "news/", and: "shop/" })).toEqual([1, 2]);
    expect(shown({ on: "news/a", and: "news/b" })).toEqual([1]);
    expect(shown({ on: "nowhere" })).toEqual([]);
  });
  it("template and what is ignored can be hidden", () => {
    expect(shown({ hideTemplate: true })).toEqual([0, 1]);
    expect(shown({}, ["print1"])).toEqual([0, 2]);
    expect(shown({ showIgnored: true }, ["print1"])).toEqual([0, 1, 2]);
  });
});

describe("the address", () => {
  it("holds view, row and filters, and gives them back", () => {
    const route = {
      view: "passages" as const,
      id: 12,
      at: 3,
      filter: { ...EVERYTHING, q: "a & b/ü?", similarity: 0.85, hideTemplate: true, on: "https://x/#y" },
    };
    expect(parseHash(formatHash(route))).toEqual(route);
    expect(formatHash(parseHash(""))).toBe("#/overview");
  });
  it("that makes no sense is the overview without filters", () => {
    expect(parseHash("#/nonsense/x/-1?alike=no&words=-5&q")).toEqual({
      view: "overview",
      id: null,
      at: null,
      filter: EVERYTHING,
    });
    expect(parseHash("#/passages/1e9?kind=near").id).toBeNull();
    expect(isEmpty(parseHash("#/passages?q=").filter)).toBe(true);
  });
});

it("a folder is that of the path, or the host of an address", () => {
  expect(folder("a/b/c.html")).toBe("a/b/");
  expect(folder("c.html")).toBe("./");
  expect(folder("https://example.org/x/y?z")).toBe("example.org/");
});
