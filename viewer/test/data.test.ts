import { describe, expect, it } from "vitest";
import { ACROSS, CodePoints, decode, TEMPLATE, WITHIN } from "../src/data";
import { shortId } from "../src/words";
import { made, payload } from "./help";

const TEXT = "one two. one two. three";

describe("texts", () => {
  it("are cut by code points", () => {
    const text = new CodePoints("a🐎b\ud800c");
    expect(text.length).toBe(5);
    expect(text.slice(1, 2)).toBe("🐎");
    expect(text.slice(2, 5)).toBe("b\ud800c");
    expect(text.slice(4, 99)).toBe("c");
  });
  it("of a place come from its page, else from the file's table", () => {
    const data = made({
      pages: [
        { id: "a", text: TEXT },
        { id: "b", chars: 30 },
      ],
      groups: [
        {
          places: [
            { page: "a", start: 9, text: "one two." },
            { page: "b", start: 4, text: "one two!" },
          ],
        },
      ],
    });
    expect(data.text(0)!.text).toBe("one two.");
    expect(data.text(1)!.text).toBe("one two!");
    expect(data.pageText(1)).toBeNull();
  });
});

describe("places", () => {
  const data = made({
    pages: [
      { id: "a", text: TEXT },
      { id: "b", text: TEXT },
    ],
    groups: [
      {
        places: [
          { page: "a", start: 9, text: "one two." },
          { page: "b", start: 0, text: "one two." },
        ],
      },
      {
        places: [
          { page: "a", start: 0, text: "one" },
          { page: "a", start: 9, text: "one" },
          { page: "b", start: 0, text: "one" },
        ],
      },
      {
        places: [
          { page: "a", start: 18, text: "three" },
          { page: "b", start: 18, text: "three" },
        ],
      },
    ],
    verdicts: [
      { page: "a", kind: "template", groups: [2] },
      { page: "b", kind: "template", groups: [2] },
      { page: "a", kind: "teaser", groups: [1] },
    ],
  });
  it("of a page stand in order, the longer first", () => {
    expect([...data.pagePlaces.subarray(data.pageFirst[0], data.pageFirst[1])]).toEqual([2, 0, 3, 5]);
  });
  it("have a use: template by verdict, within where the passage is twice on the page", () => {
    expect([...data.use]).toEqual([ACROSS, ACROSS, WITHIN, WITHIN, ACROSS, TEMPLATE, TEMPLATE]);
    expect(data.verdictKind(2)).toBe("teaser");
    expect(data.verdictKind(4)).toBeNull();
  });
  it("have parts in code points of their page", () => {
    const one = made({
      pages: [{ id: "a", text: TEXT }],
      groups: [{ places: [{ page: "a", start: 2, text: "abcdefgh", parts: [0, 2, 5, 3] }] }],
    });
    expect(one.parts(0)).toEqual([
      [2, 4],
      [7, 10],
    ]);
  });
});

it("a file is read back, and one of another format refused", async () => {
  const pack = async (value: unknown) => {
    const stream = new Blob([JSON.stringify(value)]).stream().pipeThrough(new CompressionStream("gzip"));
    return btoa(String.fromCharCode(...new Uint8Array(await new Response(stream).arrayBuffer())));
  };
  const value = payload({ pages: [{ id: "\u202e</script>", text: "🐎" }], groups: [] });
  expect(await decode(await pack(value))).toEqual(value);
  await expect(decode(await pack({ ...value, format: "dedup-view/9" }))).rejects.toThrow("dedup-view/9");
  await expect(decode("AAAA")).rejects.toThrow();
});

describe("parts", () => {
  it("are told with the passage that they are parts of, and counted", () => {
    const places = [
      { page: "a", start: 0, text: "one two." },
      { page: "a", start: 9, text: "one two." },
    ];
    const data = made({ pages: [{ id: "a", text: TEXT }], groups: [{ places }, { places, partOf: 0 }, { places, partOf: 0 }] });
    expect(data.partsOf(0)).toEqual([1, 2]);
    expect(data.partsOf(1)).toEqual([]);
    expect(data.countParts([0, 2])).toBe(1);
  });
});

describe("pages in a list", () => {
  const titles = ["Ferry", "Harbour", " Harbour\n", undefined, "", `${"Long ".repeat(20)}one`, `${"Long ".repeat(20)}two`];
  const data = made({ pages: titles.map((title, n) => ({ id: `page-${n}.html`, title })), groups: [] });
  it("are called by their titles, and by their ids where several titles look the same", () => {
    expect(titles.map((_, p) => data.called(p))).toEqual(["Ferry", ...[1, 2, 3, 4, 5, 6].map((n) => `page-${n}.html`)]);
  });
  it("have long ids cut in the middle: versions differ at the beginning or at the end", () => {
    const id = `https://www.example.org/${"news/".repeat(20)}story`,
      short = shortId(id, 60);
    expect(short).toBe("https://www.example.org/…news/news/news/news/news/news/story");
    expect(short.length).toBe(60);
    expect(shortId(`${id}?print=1`, 60)).toMatch(/story\?print=1$/);
    expect(shortId(id.replace("www", "amp"), 60)).toMatch(/^https:\/\/amp\./);
    expect(shortId(" a\nb ", 60)).toBe("a b");
    expect(shortId("🐎".repeat(60), 24)).toMatch(/^(🐎)+…(🐎)+$/);
  });
});
