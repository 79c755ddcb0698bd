import { describe, expect, it } from "vitest";
import { EVERYTHING, select } from "../src/filter";
import { closest, commonGroups, head, headShares, pageShares, union, wordsIn } from "../src/figures";
import { heat, leaves } from "../src/heat";
import { histogram, leastCertain, uncertain } from "../src/sure";
import { made } from "./help";

const all = (data: ReturnType<typeof made>, change = {}) => select(data, { ...EVERYTHING, ...change }, new Set());
const place = (page: string, start: number, size: number, similarity = 1) => ({
  page,
  start,
  text: "x".repeat(size),
  similarity,
});

it("a union counts each character once", () => {
  expect(
    union([
      [0, 5],
      [3, 8],
      [8, 9],
      [20, 21],
    ]),
  ).toBe(10);
  expect(union([])).toBe(0);
});

describe("the head", () => {
  const data = made({
    pages: ["a", "b", "c"].map((id) => ({ id, text: "y".repeat(100) })),
    groups: [
      { places: [place("a", 0, 40), place("a", 50, 40)] }, // within
      { places: [place("a", 50, 10), place("b", 0, 10), place("c", 0, 10)] }, // inside the first one on page a
      { kind: "near", places: [place("a", 90, 10), place("b", 90, 10, 0.7)] },
    ],
    verdicts: [{ page: "c", kind: "template", groups: [1] }],
  });
  it("leaves out the first place of each group and splits the rest by use", () => {
    const found = head(data, all(data));
    expect([found.within, found.across, found.template, found.all]).toEqual([40, 20, 10, 70]);
    expect([found.groups, found.pages]).toEqual([3, 3]);
  });
  it("is that of what is shown: the first shown place counts as the first", () => {
    expect(head(data, all(data, { similarity: 0.8 })).all).toBe(60);
    expect(head(data, all(data, { on: "c" })).groups).toBe(1);
    expect(head(data, all(data, { on: "c" })).all).toBe(20);
  });
  it("calls template only what stands in nothing else, as the report's content share does", () => {
    const mixed = made({
      pages: ["a", "b"].map((id) => ({ id, text: "y".repeat(100) })),
      groups: [{ places: [place("a", 0, 30), place("b", 0, 30)] }, { places: [place("a", 0, 50), place("b", 0, 50)] }],
      verdicts: [
        { page: "a", kind: "template", groups: [1] },
        { page: "b", kind: "template", groups: [1] },
      ],
    });
    const found = head(mixed, all(mixed));
    expect([found.across, found.template, found.all]).toEqual([30, 20, 50]);
  });
  it("counts no character of a reference", () => {
    const against = made({
      pages: [
        { id: "ref", text: "x".repeat(50), reference: true },
        { id: "a", text: "x".repeat(50) },
      ],
      groups: [{ places: [place("ref", 0, 10), place("ref", 20, 10), place("a", 0, 10)] }],
    });
    expect(head(against, all(against)).all).toBe(10);
    expect(head(against, all(against)).pages).toBe(1);
  });
  it("shares of a page count all its places, each character once", () => {
    expect(pageShares(data, all(data), 0)).toEqual({ within: 0.8, across: 0.1, template: 0, all: 0.9 });
    expect(pageShares(data, all(data), 2)).toEqual({ within: 0, across: 0, template: 0.1, all: 0.1 });
  });
  it("a page that the report calls repeated as a whole is so, white space or not", () => {
    const copy = made({
      pages: [
        { id: "a", text: "z".repeat(100), across: 1 },
        { id: "b", text: "z".repeat(100) },
      ],
      groups: [{ places: [place("a", 0, 97), place("b", 0, 97)] }],
    });
    expect(pageShares(copy, all(copy), 0).all).toBe(1);
    expect(pageShares(copy, all(copy), 1).all).toBe(0.97);
  });
  it("the closest page is the one that has most of the text; template makes none", () => {
    expect(closest(data, all(data), 0, commonGroups(data))).toEqual({ page: 1, share: 0.2, partners: 2 });
    expect(closest(data, all(data), 2, commonGroups(data))).toBeNull();
  });
  it("a passage on very many pages makes no two of them close, and is not in the map", () => {
    const many = made({
      pages: Array.from({ length: 40 }, (_, n) => ({ id: `p${n}`, text: "z".repeat(50) })),
      groups: [
        { places: Array.from({ length: 30 }, (_, n) => place(`p${n}`, 0, 10)) },
        { places: [place("p3", 20, 10), place("p4", 20, 10)] },
      ],
    });
    expect([...commonGroups(many)]).toEqual([1, 0]);
    expect(closest(many, all(many), 5, commonGroups(many))).toBeNull();
    expect(closest(many, all(many), 3, commonGroups(many))).toEqual({ page: 4, share: 0.2, partners: 1 });
    expect(heat(many, all(many)).units.map((unit) => unit.name)).toEqual(["p3", "p4"]);
  });
});

describe("the words of places", () => {
  const words = (size: number) => Array.from({ length: size / 2 }, () => "w").join(" ") + " ";
  const word = (page: string, start: number, size: number, more = {}) => ({
    page,
    start,
    text: words(size).slice(0, size - 1),
    ...more,
  });
  const data = made({
    pages: [{ id: "a", text: "w ".repeat(200) }],
    groups: [
      { places: [word("a", 0, 40), word("a", 100, 40)] }, // 20 words
      { places: [word("a", 10, 10), word("a", 60, 10), word("a", 110, 10)] }, // 5 words, two of them inside the first
      { places: [word("a", 0, 10), { ...word("a", 200, 60), copies: 6 }] }, // 5 words, 6 times in a row
      { places: [word("a", 120, 40), word("a", 300, 40)] }, // over the end of the first one's second place
    ],
  });
  it("are those of their passages: 20 and 5 are 25", () => {
    expect(wordsIn(data, [1, 3])).toBeCloseTo(25);
  });
  it("count once what lies in a longer passage", () => {
    expect(wordsIn(data, [1, 3, 4])).toBeCloseTo(25);
    expect(wordsIn(data, [1, 7])).toBeCloseTo(30, 0);
  });
  it("count each copy of a text that follows itself", () => {
    expect(wordsIn(data, [6])).toBeCloseTo(30);
  });
  it("are those of the head", () => {
    expect(head(data, all(data)).words).toBeCloseTo(20 + 5 + 30 + 20);
  });
});

describe("the shares of the head", () => {
  const official = (duplicate_share: number, content_share: number) => ({ duplicate_share, content_share });
  const chars = (within: number, across: number, template: number) => ({
    within,
    across,
    template,
    all: within + across + template,
  });
  it("add up to the report's own, to the tenth of a percent", () => {
    for (const [d, c, ...parts] of [
      [0.5462, 0.2709, 0, 1147, 1168],
      [0.4148, 0.0575, 13, 560, 3600],
      [0.9999, 0.3333, 1, 1, 1],
      [1, 1, 5, 7, 0],
      [0.15, 0.0339, 180, 160, 1150],
      [0.0004, 0.0004, 3, 0, 0],
    ] as number[][]) {
      const whole = chars(parts[0], parts[1], parts[2]),
        found = headShares(official(d, c), whole, whole),
        tenths = (share: number) => Math.round(share * 1000);
      expect(tenths(found.within) + tenths(found.across) + tenths(found.template)).toBe(Math.floor(d * 1000 + 1e-6));
      expect(tenths(found.within) + tenths(found.across)).toBe(Math.floor(c * 1000 + 1e-6));
      expect(found.all).toBeCloseTo(Math.floor(d * 1000 + 1e-6) / 1000);
    }
  });
  it("show what is there as 0.1 %, however little it is", () => {
    const whole = chars(1, 9999, 0);
    expect(headShares(official(0.5, 0.5), whole, whole)).toEqual({ within: 0.001, across: 0.499, template: 0, all: 0.5 });
  });
  it("of what a filter leaves are in proportion, and add up", () => {
    const whole = chars(100, 200, 100);
    expect(headShares(official(0.4, 0.3), chars(50, 200, 0), whole)).toEqual({
      within: 0.05,
      across: 0.2,
      template: 0,
      all: 0.25,
    });
  });
});

describe("the map", () => {
  const data = made({
    pages: ["x/a", "x/b", "y/c", "y/d"].map((id) => ({ id, text: "y".repeat(100) })),
    groups: [
      { places: [place("x/a", 0, 50), place("y/c", 0, 50)] },
      { places: [place("x/a", 40, 20), place("y/c", 40, 20)] },
      { places: [place("x/b", 0, 10), place("y/d", 0, 10), place("y/d", 30, 10)] },
    ],
  });
  it("says how much of each page stands on each other, and on itself again", () => {
    const found = heat(data, all(data)),
      n = found.units.length;
    const share = (a: string, b: string) => {
      const [i, j] = [a, b].map((name) => found.units.findIndex((unit) => unit.name === name));
      return found.share[i * n + j];
    };
    expect(share("x/a", "y/c")).toBeCloseTo(0.6);
    expect(share("x/b", "y/d")).toBeCloseTo(0.1);
    expect(share("y/d", "x/b")).toBeCloseTo(0.2);
    expect(share("y/d", "y/d")).toBeCloseTo(0.2);
    expect(share("x/a", "x/a")).toBe(0);
    expect(share("x/a", "y/d")).toBe(0);
  });
  it("puts those beside each other that share most", () => {
    expect(heat(data, all(data)).units.map((unit) => unit.name)).toEqual(["x/a", "y/c", "x/b", "y/d"]);
    expect(
      leaves(
        [0, 1, 2, 3],
        [
          [0, 3, 0.2],
          [1, 2, 0.9],
          [2, 3, 0.5],
        ],
      ),
    ).toEqual([0, 1, 2, 3]);
  });
  it("puts many pages together by folder", () => {
    const found = heat(data, all(data), 3);
    expect(found.grouped).toBe(true);
    expect(found.units.map((unit) => [unit.name, unit.pages])).toEqual([
      ["x/", 2],
      ["y/", 2],
    ]);
    expect(found.share[1]).toBeCloseTo(0.35);
  });
  it("beyond the limit keeps those that share most, and says how many are hidden", () => {
    const found = heat(data, all(data), 1);
    expect([found.units.length, found.hidden]).toEqual([1, 1]);
  });
});

it("the least certain are the least alike; equal texts are certain", () => {
  const data = made({
    pages: [{ id: "a", text: "y".repeat(99) }],
    groups: [
      { kind: "near", places: [place("a", 0, 9), place("a", 10, 9, 0.8), place("a", 20, 9, 0.55), place("a", 30, 9, 1)] },
      { places: [place("a", 40, 9), place("a", 50, 9)] },
    ],
  });
  const found = uncertain(data, all(data));
  expect(found).toEqual([1, 2]);
  expect(leastCertain(data, found, 1)).toEqual([2]);
  const bins = histogram(data, found);
  expect([bins[16], bins[11], bins.reduce((a, b) => a + b)]).toEqual([1, 1, 2]);
});
