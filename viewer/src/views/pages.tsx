import { useMemo, useState } from "preact/hooks";
import { closest, type Closest, commonGroups, pageShares, type Shares } from "../figures";
import { EVERYTHING, narrows, pagesNamed, wordsOf } from "../filter";
import { useEvent } from "../keys";
import { Link, ShareBar, shareWords } from "../parts";
import { useApp } from "../state";
import { VirtualList } from "../virtual";
import { count, number, oneLine, percent, VERDICTS } from "../words";

type Column = "order" | "name" | "words" | "repeated" | "closest";
const ROW = 64;

interface Entry {
  page: number;
  shares: Shares;
  closest: Closest | null;
  verdicts: string[];
}

/** All pages: how much of each stands elsewhere, which page is closest, what it amounts to. */
export function PagesView() {
  const app = useApp(),
    { data, selection } = app;
  const [sort, setSort] = useState<{ by: Column; down: boolean }>({ by: "repeated", down: true });
  const [chosen, choose] = useState<number | null>(null);
  const entries = useMemo(() => allEntries(app), [data, selection, app.route.filter.q]);
  const rows = useMemo(() => sorted(entries, sort, data.raw.pages), [entries, sort]);
  useEvent("dedup-move", (step) => choose((now) => Math.min(Math.max((now ?? -1) + step, 0), rows.length - 1)));
  useEvent("dedup-open", () => {
    if (chosen !== null && rows[chosen]) app.go({ view: "page", id: rows[chosen].page });
  });
  const head = (by: Column, name: string, extra = "") => (
    <span
      role="columnheader"
      class={`cell ${extra}`}
      aria-sort={sort.by === by ? (sort.down ? "descending" : "ascending") : "none"}
    >
      <button type="button" onClick={() => setSort({ by, down: sort.by === by ? !sort.down : by !== "name" })}>
        {name}
        <span aria-hidden="true">{sort.by === by ? (sort.down ? " ↓" : " ↑") : ""}</span>
      </button>
    </span>
  );
  return (
    <section class="pages" aria-labelledby="pages-title">
      <h1 id="pages-title">
        {rows.length === data.pages ? count(data.pages, "page") : `${number(rows.length)} of ${count(data.pages, "page")}`}
      </h1>
      <div class="grid" role="table" aria-label="Pages" aria-rowcount={rows.length + 1}>
        <div role="rowgroup">
          <div class="row heads" role="row" aria-rowindex={1}>
            {head("name", "Page", "wide")}
            {head("words", "Words", "figure")}
            {head("repeated", "Stands elsewhere too")}
            {head("closest", "Closest page")}
            <span role="columnheader" class="cell">
              What it amounts to
            </span>
          </div>
        </div>
        <VirtualList
          count={rows.length}
          height={ROW}
          label="Pages"
          role="rowgroup"
          focus={chosen}
          row={(i) => {
            const { page, shares, closest: near, verdicts } = rows[i],
              title = data.title(page);
            return (
              <div
                class={`row${chosen === i ? " chosen" : ""}`}
                role="row"
                aria-rowindex={i + 2}
                key={page}
                style={{ height: `${ROW}px` }}
              >
                <span role="cell" class="cell wide">
                  <Link to={{ view: "page", id: page }} class={title ? "page-name" : "page-name from-end"}>
                    <bdi>{title ? oneLine(title, 90) : data.shortName(page, 90)}</bdi>
                  </Link>
                  {title && (
                    <span class="sub from-end" title={data.pageName(page)}>
                      <bdi>{data.shortName(page, 90)}</bdi>
                    </span>
                  )}
                  {data.raw.pages.reference[page] === 1 && <span class="sub">reference</span>}
                </span>
                <span role="cell" class="cell figure">
                  {number(data.raw.pages.words[page])}
                </span>
                <span role="cell" class="cell share">
                  <ShareBar shares={shares} label={shareWords(shares)} />
                  <span class="figure">{percent(shares.all)}</span>
                </span>
                <span role="cell" class="cell">
                  {near ? (
                    <>
                      <Link
                        to={{
                          view: "passages",
                          filter: { ...EVERYTHING, on: data.pageName(page), and: data.pageName(near.page) },
                        }}
                        class={data.hasOwnTitle(near.page) ? "page-name" : "page-name from-end"}
                        label={`What it shares with ${data.called(near.page)}`}
                      >
                        <bdi>{data.called(near.page)}</bdi>
                      </Link>
                      <span class="sub">
                        has {percent(near.share)} of it{near.partners > 1 ? `; ${count(near.partners - 1, "more page")}` : ""}
                      </span>
                    </>
                  ) : (
                    <span class="sub">none</span>
                  )}
                </span>
                <span role="cell" class="cell tags">
                  {verdicts.map((name) => (
                    <span class="tag" key={name}>
                      {name}
                    </span>
                  ))}
                </span>
              </div>
            );
          }}
        />
      </div>
    </section>
  );
}

function allEntries(app: ReturnType<typeof useApp>): Entry[] {
  const { data, selection, told } = app,
    { filter } = app.route,
    all = !narrows(filter);
  const words = wordsOf(filter.q),
    named = words.length ? pagesNamed(data, words) : null;
  const verdicts = new Map<number, Set<string>>();
  data.raw.verdicts.page.forEach((p, v) => {
    if (!told.has(v)) return;
    if (!verdicts.has(p)) verdicts.set(p, new Set());
    verdicts.get(p)!.add(VERDICTS[data.raw.verdicts.kind[v]].name);
  });
  const out: Entry[] = [],
    common = commonGroups(data);
  for (let page = 0; page < data.pages; page++) {
    let any = false;
    for (let i = data.pageFirst[page]; i < data.pageFirst[page + 1] && !any; i++)
      any = selection.places[data.pagePlaces[i]] === 1;
    if (!any && !all && !named?.[page]) continue;
    out.push({
      page,
      shares: pageShares(data, selection, page),
      closest: closest(data, selection, page, common),
      verdicts: [...(verdicts.get(page) ?? [])],
    });
  }
  return out;
}

function sorted(
  entries: Entry[],
  sort: { by: Column; down: boolean },
  pages: { words: number[]; id: string[]; title: (string | null)[] },
): Entry[] {
  const key: Record<Column, (e: Entry) => number | string> = {
    order: (e) => e.page,
    words: (e) => pages.words[e.page],
    repeated: (e) => e.shares.all,
    closest: (e) => e.closest?.share ?? 0,
    name: (e) => (pages.title[e.page] ?? pages.id[e.page]).toLowerCase(),
  };
  const of = key[sort.by],
    sign = sort.down ? -1 : 1;
  return [...entries].sort((a, b) => {
    const x = of(a),
      y = of(b);
    return x < y ? -sign : x > y ? sign : a.page - b.page;
  });
}
