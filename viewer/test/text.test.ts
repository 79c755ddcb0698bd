import { describe, expect, it } from "vitest";
import { alike, apart } from "../src/apart";
import { arcs, labelled, ribbon } from "../src/arcs";
import { compared, differs, excerpt, rows, segments, unified } from "../src/diff";
import { CodePoints } from "../src/data";
import { EVERYTHING, select } from "../src/filter";
import { baseline, load } from "../src/ignore";
import { paragraphs } from "../src/segments";
import { again, count, likeness, lines, oneLine, percent, sentence, shortPath, times } from "../src/words";
import { made, type Place } from "./help";

const all = (data: ReturnType<typeof made>) => select(data, EVERYTHING, new Set());

describe("a page's text", () => {
  const text = "menu\n🐎 one two\nthree\nmenu end";
  const data = made({
    pages: [{ id: "a", text }],
    groups: [
      {
        places: [
          { page: "a", start: 5, text: "🐎 one two\nthree" },
          { page: "a", start: 0, text: "menu" },
        ],
      },
      {
        places: [
          { page: "a", start: 7, text: "one" },
          { page: "a", start: 21, text: "menu" },
        ],
      },
    ],
  });
  it("is cut at paragraphs and where passages begin and end", () => {
    const cut = paragraphs(data, all(data), 0);
    expect(cut.map((p) => p.runs.map((run) => [run.text, run.places]))).toEqual([
      [["menu", [1]]],
      [
        ["🐎 ", [0]],
        ["one", [0, 2]],
        [" two", [0]],
      ],
      [["three", [0]]],
      [
        ["menu", [3]],
        [" end", []],
      ],
    ]);
    expect(cut.map((p) => p.begins)).toEqual([[1], [0, 2], [], [3]]);
  });
  it("all of it is there, in order", () => {
    expect(
      paragraphs(data, all(data), 0)
        .map((p) => p.runs.map((run) => run.text).join(""))
        .join("\n"),
    ).toBe(text);
  });
  it("whose lines are broken is cut at blank lines, and keeps its lines", () => {
    const lines = "a title\n\nfirst line\nsecond line\n \nlast",
      broken = made({
        pages: [{ id: "a", text: lines }],
        groups: [
          {
            places: [
              { page: "a", start: 9, text: "first line\nsecond" },
              { page: "a", start: 34, text: "last" },
            ],
          },
        ],
      });
    const cut = paragraphs(broken, all(broken), 0);
    expect(cut.map((p) => p.runs.map((run) => run.text).join("|"))).toEqual(["a title", "first line|\nsecond| line", "last"]);
    expect(cut.map((p) => p.begins)).toEqual([[], [0], [1]]);
  });
  it("is an outline where the file does not have it", () => {
    const outline = made({
      pages: [{ id: "a", chars: 100 }],
      groups: [
        {
          places: [
            { page: "a", start: 10, text: "abcdefghij" },
            { page: "a", start: 15, text: "fghijKLMNO" },
            { page: "a", start: 60, text: "xyz" },
          ],
        },
      ],
    });
    const cut = paragraphs(outline, all(outline), 0);
    expect(cut.map((p) => p.missing || p.runs.map((run) => run.text).join("|"))).toEqual([
      10,
      "abcde|fghij|KLMNO",
      35,
      "xyz",
      37,
    ]);
  });
});

describe("two places side by side", () => {
  const a = new CodePoints("on Monday the vote\nwas short"),
    b = new CodePoints("on Friday the last vote\nwas short");
  const found = segments([[0, 28]], [[0, 33]], [3, 3, 7, 7, 4, 4, 0, 5]);
  it("are rows of what is the same and what differs", () => {
    expect(rows(a, b, found, /\n/)).toEqual([
      {
        a: [
          { mark: "same", text: "on " },
          { mark: "changed", text: "Monday " },
          { mark: "same", text: "the vote" },
        ],
        b: [
          { mark: "same", text: "on " },
          { mark: "changed", text: "Friday " },
          { mark: "same", text: "the " },
          { mark: "changed", text: "last " },
          { mark: "same", text: "vote" },
        ],
      },
      { a: [{ mark: "same", text: "was short" }], b: [{ mark: "same", text: "was short" }] },
    ]);
  });
  it("read in one column, what is the same stands once", () => {
    const [row] = rows(a, b, segments([[0, 18]], [[0, 18]], [3, 3, 7, 7]), /\n/);
    expect(unified(row).map((part) => `${part.side}:${part.text}`)).toEqual([
      "both:on ",
      "a:Monday ",
      "b:Friday ",
      "both:the vote",
    ]);
  });
  it("in an excerpt keep a few words beside each change", () => {
    const words = (n: number, letter: string) => Array.from({ length: n }, (_, i) => `${letter}${i}`).join(" ");
    const row = [
      { side: "both" as const, mark: "same" as const, text: words(20, "x") },
      { side: "a" as const, mark: "changed" as const, text: "old" },
      { side: "both" as const, mark: "same" as const, text: words(30, "y") },
      { side: "b" as const, mark: "changed" as const, text: "new" },
      { side: "both" as const, mark: "same" as const, text: words(5, "z") },
    ];
    expect(excerpt(row).map((part) => part.text)).toEqual([
      "… x14 x15 x16 x17 x18 x19",
      "old",
      "y0 y1 y2 y3 y4 y5 … y24 y25 y26 y27 y28 y29",
      "new",
      "z0 z1 z2 z3 z4",
    ]);
  });
  it("what lies between parts of a run stands in a row of its own", () => {
    const data = made({
      pages: [
        { id: "a", text: "one two\nthree" },
        { id: "b", text: "one two\nteaser\nthree" },
      ],
      groups: [
        {
          places: [
            { page: "a", start: 0, text: "one two\nthree", parts: [0, 7, 8, 5], path: "/p" },
            { page: "b", start: 0, text: "one two\nteaser\nthree", parts: [0, 7, 15, 5], path: "/p" },
          ],
        },
      ],
    });
    expect(compared(data, 0, 1)).toEqual([
      { a: [{ mark: "same", text: "one two" }], b: [{ mark: "same", text: "one two" }] },
      { a: [], b: [{ mark: "between", text: "teaser" }] },
      { a: [{ mark: "same", text: "three" }], b: [{ mark: "same", text: "three" }] },
    ]);
    expect(differs(data, 0, 1)).toBe(true);
  });
});

describe("arcs", () => {
  it("join consecutive places of a passage only, and say what stands on other pages", () => {
    const data = made({
      pages: [
        { id: "a", text: "x".repeat(100) },
        { id: "b", text: "x".repeat(9) },
      ],
      groups: [
        {
          places: [
            { page: "a", start: 0, text: "x".repeat(10) },
            { page: "a", start: 30, text: "x".repeat(10) },
            { page: "a", start: 80, text: "x".repeat(10) },
            { page: "b", start: 0, text: "xxx" },
          ],
        },
      ],
    });
    const drawn = arcs(data, all(data), 0);
    expect(drawn.arcs.map((arc) => [arc.from, arc.to])).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(drawn.bars.map((bar) => [bar.x, bar.width, bar.elsewhere])).toEqual([
      [0, 100, true],
      [300, 100, true],
      [800, 100, true],
    ]);
  });
  it("have their number at their summit where there is room", () => {
    const data = made({
      pages: [{ id: "a", text: "x".repeat(1000) }],
      groups: [
        {
          places: [
            { page: "a", start: 0, text: "x".repeat(100) },
            { page: "a", start: 300, text: "x".repeat(100) },
          ],
        },
        {
          places: [
            { page: "a", start: 10, text: "x".repeat(80) },
            { page: "a", start: 310, text: "x".repeat(80) },
          ],
        },
        {
          places: [
            { page: "a", start: 500, text: "x".repeat(10) },
            { page: "a", start: 900, text: "x".repeat(10) },
          ],
        },
      ],
    });
    const labels = labelled(arcs(data, all(data), 0).arcs);
    expect(labels.map((arc) => arc.group)).toEqual([0, 2]); // the second one's would lie on the first one's
    expect(labels[0].top[0]).toBe(200);
    expect(labels.map((arc) => Math.round(arc.rise))).toEqual([56, 68]);
    expect(labelled(arcs(data, all(data), 0).arcs, 60).length).toBe(1); // no room for more in a narrow picture
  });
  it("of wide places stand on their middles, and brackets show how far these go", () => {
    const wide = { page: "a", text: "x".repeat(450) },
      narrow = { page: "a", text: "x".repeat(20) };
    const data = made({
      pages: [
        { id: "a", text: "x".repeat(1000) },
        { id: "b", text: "x".repeat(600) },
      ],
      groups: [
        {
          places: [
            { ...wide, start: 50 },
            { ...wide, start: 500 },
          ],
        },
        {
          places: [
            { ...narrow, start: 60 },
            { ...narrow, start: 600 },
          ],
        },
        {
          places: [
            { ...wide, start: 0 },
            { ...wide, page: "b", start: 0 },
          ],
        },
      ],
    });
    const drawn = arcs(data, all(data), 0);
    const wideArc = drawn.arcs.find((arc) => arc.group === 0)!;
    expect(wideArc.path).toMatch(/^M257\.0 150A243\.0 [\d.]+ 0 0 1 743\.0 150H707\.0A207\.0 [\d.]+ 0 0 0 293\.0 150Z$/);
    const brackets = drawn.bars.map((bar) => [bar.group, bar.bracket !== null]);
    expect(brackets).toEqual([
      [2, false], // its other place is on another page
      [0, true],
      [1, false],
      [0, true],
      [1, false],
    ]);
    expect(drawn.bars[1].bracket).toMatch(/^M52\.0 \d+V\d+H498\.0V\d+$/); // not into its neighbour's
  });
  it("are rings whose outer border goes from the beginning of one to the end of the other", () => {
    expect(ribbon(0, 100, 300, 400, 400)).toMatch(
      /^M0\.0 150A200\.0 [\d.]+ 0 0 1 400\.0 150H300\.0A100\.0 [\d.]+ 0 0 0 100\.0 150Z$/,
    );
    expect(ribbon(0, 100, 100, 200, 200)).toMatch(/H100\.0H100\.0Z$/); // neighbours: no hole
  });
});

describe("words", () => {
  it("shares are cut, never rounded up", () => {
    expect([percent(0.9996), percent(1), percent(0.487), percent(0)]).toEqual(["99.9 %", "100 %", "48.7 %", "0.0 %"]);
  });
  it("a place is named by its lines, and by its characters where these do not tell it from another one", () => {
    const at = (page: string, start: number, line: number) => ({ page, start, text: "one two", line });
    const data = made({
      pages: [
        { id: "a", text: "x".repeat(3000) },
        { id: "b", text: "x".repeat(30) },
      ],
      groups: [{ places: [at("a", 0, 7), at("a", 2000, 7), at("a", 40, 8), at("b", 0, 7)] }],
    });
    expect([0, 1, 2, 3].map((o) => lines(data, o))).toEqual([
      "line 7 (characters 0–7)",
      "line 7 (characters 2,000–2,007)",
      "line 8",
      "line 7",
    ]);
  });
  it("places follow each other with the noun once", () => {
    expect(again(["line 41", "line 49", "lines 55–57", "lines 60–61"])).toEqual(["line 41", "49", "lines 55–57", "60–61"]);
  });
  it("numbers have their nouns", () => {
    expect([count(1, "page"), count(1234, "page"), count(2, "copy", "copies"), times(2), times(3)]).toEqual([
      "1 page",
      "1,234 pages",
      "2 copies",
      "twice",
      "3 times",
    ]);
  });
  it("texts that begin alike are quoted from shortly before they differ", () => {
    const head = "WSJ Facebook Twitter MarketWatch Barrons SmartMoney Portfolio AllThingsD",
      texts = [`${head} Banks are weak`, `${head} The video  game of it`, head, "Other words", `${head} Banks are weak`];
    const begins = alike(texts);
    expect(begins).toEqual([head.length + 1, head.length + 1, head.length, 0, head.length + 1]);
    expect(texts.map((text, i) => apart(text, begins[i], begins[i] > 0 && begins[i] < text.length ? 90 : 44))).toEqual([
      "WSJ Facebook Twitter … SmartMoney Portfolio AllThingsD Banks are weak",
      "WSJ Facebook Twitter … SmartMoney Portfolio AllThingsD The video game of it",
      "WSJ Facebook Twitter MarketWatch Barrons …",
      "Other words",
      "WSJ Facebook Twitter … SmartMoney Portfolio AllThingsD Banks are weak",
    ]);
  });
  it("a passage with other words between is told and quoted without them", () => {
    const text = "one two three\nadvert\nfour five six\none two three\nfour five six",
      run = { page: "a", text: text.slice(0, 34), start: 0, parts: [0, 13, 21, 13] },
      copy = { page: "a", text: text.slice(35), start: 35, parts: [0, 13, 14, 13] },
      kind = (kind: "exact" | "near" | "contained", places: Place[] = [run, copy]) =>
        made({ pages: [{ id: "a", text }], groups: [{ kind, places }] });
    const data = kind("exact");
    expect(data.groupText(0)).toBe("one two three\n\n…\n\nfour five six");
    expect(data.matched(1)).toBe("one two three\n\nfour five six");
    expect(select(data, { ...EVERYTHING, q: "advert" }, new Set()).groups).toHaveLength(0);
    expect([data.hasGaps(0), data.hasGaps(1)]).toEqual([true, false]);
    const plain = [copy, { ...copy, similarity: 0.93 }];
    expect([likeness(data, 0), likeness(kind("exact", [copy, copy]), 0), likeness(kind("near", plain), 0)]).toEqual([
      "word for word, with other words between",
      "word for word",
      "93.0 % alike",
    ]);
    expect(likeness(kind("near", [{ ...run, similarity: 0.93 }, copy]), 0)).toBe("93.0 % alike, with other words between");
    expect(likeness(kind("contained"), 0)).toBe("inside a longer text");
  });
  it("texts are shortened between words, and no letter is cut in half", () => {
    expect(oneLine("The quick brown\n\n fox jumps", 18)).toBe("The quick brown …");
    expect(oneLine("x".repeat(5) + "🐎".repeat(50), 10)).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
    expect(sentence("the page is a copy")).toBe("The page is a copy.");
    expect(shortPath("/html/body/main/div[2]/article/p[3]", 16)).toBe("…/article/p[3]");
  });
});

it("the list of ignored passages is sorted, one a line, and JSON", () => {
  const data = made({
    pages: [{ id: "a", text: "x y z" }],
    groups: [
      {
        fingerprint: "bb",
        places: [
          { page: "a", start: 0, text: "x" },
          { page: "a", start: 2, text: "y" },
        ],
      },
      {
        fingerprint: "aa",
        places: [
          { page: "a", start: 2, text: "y" },
          { page: "a", start: 4, text: "z" },
        ],
      },
    ],
  });
  const text = baseline(data, new Set(["bb", "aa"]));
  expect(JSON.parse(text)).toEqual({
    format: "dedup-baseline/1",
    passages: [
      { fingerprint: "aa", text: "y", reason: "" },
      { fingerprint: "bb", text: "x", reason: "" },
    ],
  });
  expect(
    text
      .split("\n")
      .slice(1, 3)
      .every((line) => line.startsWith('{"fingerprint"')),
  ).toBe(true);
  expect(load("d").size).toBe(0); // where nothing can be kept, nothing is
});
