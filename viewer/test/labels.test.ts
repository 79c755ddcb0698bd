import { describe, expect, it } from "vitest";
import { CodePoints, Lines } from "../src/data";
import { EVERYTHING, select } from "../src/filter";
import { labels, paragraphs } from "../src/segments";
import { printed, inARow, where } from "../src/words";
import { isTold } from "../src/views/verdicts";
import { differs } from "../src/diff";
import { made } from "./help";

const all = (data: ReturnType<typeof made>) => select(data, EVERYTHING, new Set());

describe("lines in the source", () => {
  it("are counted from the last point, by line feeds, in code points", () => {
    const lines = new Lines(new CodePoints("🐎\nb\nc\n\nd"), [0, 3, 2, 5]);
    expect([0, 2, 4, 7].map((at) => lines.of(at))).toEqual([3, 4, 10, 12]);
  });
  it("are not known before the first point", () => {
    const lines = new Lines(new CodePoints("ab\nc\nd"), [1, 8]);
    expect([0, 3, 5].map((at) => lines.of(at))).toEqual([null, 9, 10]);
  });
  it("stand at the beginning of each paragraph of a page, also where a passage begins inside it", () => {
    const text = "🐎 menu\none two\nthree\nend",
      data = made({
        pages: [{ id: "a", text, lines: [0, 2, 1, 4] }],
        groups: [
          {
            places: [
              { page: "a", start: 11, text: "two\nthree" },
              { page: "a", start: 0, text: "🐎" },
            ],
          },
        ],
      });
    expect(paragraphs(data, all(data), 0).map((p) => [p.start, p.line])).toEqual([
      [0, 2],
      [7, 7],
      [15, 8],
      [21, 9],
    ]);
  });
  it("of a record are not known", () => {
    const data = made({ pages: [{ id: "a", text: "one\ntwo" }], groups: [] });
    expect(paragraphs(data, all(data), 0).map((p) => p.line)).toEqual([null, null]);
  });
});

describe("labels", () => {
  // An article, and its second copy with a teaser and a caption in it.
  const article = "head\nbody one\ntail",
    second = "head\nbody\ncaption\nbody one\ntail",
    text = `${article}\n${second}`;
  const data = made({
    pages: [{ id: "a", text }],
    groups: [
      {
        places: [
          { page: "a", start: 0, text: article },
          { page: "a", start: article.length + 1, text: second, parts: [0, 4, 18, 13] },
        ],
      },
      {
        places: [
          { page: "a", start: 5, text: "body" },
          { page: "a", start: article.length + 6, text: "body" },
          { page: "a", start: article.length + 19, text: "body" },
        ],
      },
    ],
  });
  const found = labels(paragraphs(data, all(data), 0));
  it("stand above the text that is all of a passage, and inside it where another one begins", () => {
    expect(found.map((p) => [p.whole, p.above, p.inside.flat()])).toEqual([
      [0, [{ place: 0, goesOn: false }], []],
      [0, [], [{ place: 2, goesOn: false }]],
      [0, [], []],
      [1, [{ place: 1, goesOn: false }], []],
      [3, [{ place: 3, goesOn: false }], []],
      [null, [], []],
      [1, [{ place: 1, goesOn: true }], [{ place: 4, goesOn: false }]],
      [1, [], []],
    ]);
  });
  it("each marked stretch has one where it begins, whatever lies between", () => {
    const cut = paragraphs(data, all(data), 0);
    let before: number[] = [];
    cut.forEach((paragraph, i) =>
      paragraph.runs.forEach((run, n) => {
        const named = [...(n === 0 ? found[i].above : []), ...found[i].inside[n]].map((label) => label.place);
        expect(named.sort()).toEqual(run.places.filter((o) => !before.includes(o)).sort());
        before = run.places;
      }),
    );
  });
  it("of a place whose text is not there stand where it begins", () => {
    expect(labels([{ start: 0, line: null, runs: [], begins: [7], missing: 0 }])).toEqual([
      { whole: null, above: [{ place: 7, goesOn: false }], inside: [] },
    ]);
  });
});

describe("a text that follows itself", () => {
  const data = made({
    pages: [{ id: "a", text: "x ".repeat(60) }],
    groups: [
      {
        places: [
          { page: "a", start: 0, text: "x x", line: 3 },
          { page: "a", start: 10, text: "x x x x x x", line: 4, copies: 3 },
          { page: "a", start: 30, text: "x x x x", line: 9, copies: 2 },
        ],
      },
    ],
  });
  it("is told as often as it stands in a row", () => {
    expect([0, 1, 2].map((o) => inARow(data, o))).toEqual(["", "3 times in a row", "twice in a row"]);
    expect(where(data, 1)).toBe("line 4, 3 times in a row");
    expect(data.raw.groups.count).toEqual([6]);
  });
  it("is no other text", () => {
    expect(differs(data, 0, 1)).toBe(false);
  });
});

it("what the headline names is not told again", () => {
  const headline =
    'the article stands twice: 39-45 again at 48-59; the second copy also has the teaser of line 49 and "Ad" of line 5';
  expect(isTold(headline, "the teaser at line 49 is contained in line 41")).toBe(true);
  expect(isTold(headline, "the teaser at line 4 is contained in line 41")).toBe(false);
  expect(isTold(headline, "the link at line 49 names the heading at line 3")).toBe(false);
});

it("sentences have the dash, the quotes and the dots of print; dashes in a quote stay as they are", () => {
  expect(printed('the second copy also has "Thumbnail" of line 52: "How it began..."')).toBe(
    "the second copy also has “Thumbnail” of line 52: “How it began …”",
  );
  expect(printed('lines 3-5 again at 7-9: "2024-05-06 and so on" at 3-4')).toBe(
    "lines 3–5 again at 7–9: “2024-05-06 and so on” at 3–4",
  );
});
