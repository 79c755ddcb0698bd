import { useMemo, useState } from "preact/hooks";
import { compared, differs, type Piece, type Row, unified } from "../diff";
import { Copy, Link, Long, look } from "../parts";
import { useApp } from "../state";
import { count, printed, inARow, likeness, lines, number, percent, sentence, shortPath, times } from "../words";

const PLACES = 12,
  OTHERS = 5;

/** One passage: where it stands, and two of its places side by side. */
export function Card({ group: g, level = 2, other }: { group: number; level?: 2 | 3; other?: number | null }) {
  const app = useApp(),
    { data } = app,
    { groups } = data.raw;
  const first = data.representative(g),
    all = Array.from({ length: groups.places[g] }, (_, i) => data.first[g] + i);
  const rest = all.filter((o) => o !== first),
    start = other != null && rest.includes(other) ? other : mostDifferent(app, rest);
  const [picked, pick] = useState<number | null>(null),
    right = picked !== null && rest.includes(picked) ? picked : start;
  const Heading = `h${level}` as "h2";
  const print = groups.fingerprint[g],
    ignored = app.ignored.has(print);
  return (
    <article class={`card ${look(g)}${ignored ? " is-ignored" : ""}`} aria-labelledby={`passage-${g}`}>
      <header class="card-head">
        <span class="badge" aria-hidden="true">
          {data.number(g)}
        </span>
        <Heading id={`passage-${g}`}>
          Passage {data.number(g)}: {count(groups.tokens[g], "word")}, {likeness(data, g)}
        </Heading>
        <button
          type="button"
          class="quiet"
          aria-pressed={ignored}
          onClick={() => app.ignore(print)}
          title="Takes this passage out of the figures, and puts it on a list to download: the scan can leave it out with --baseline"
        >
          {ignored ? "Ignored" : "Ignore"}
        </button>
      </header>
      <p class="sub">
        Stands {times(groups.count[g])}. {verdictWords(app, g)}
        {groups.truncated[g] === 1 && " A bound was met here: there may be more places."}
        <Others said="Alike, but less so" groups={groups.related[g]} />
        <Others said="Most of it is part of" groups={groups.part_of[g] < 0 ? [] : [groups.part_of[g]]} />
        <Others said="Parts of it stand for themselves, too" groups={data.partsOf(g)} />
      </p>
      <Places g={g} all={all} first={first} right={right} pick={pick} />
      {right !== undefined && <SideBySide key={right} g={g} right={right} level={level} />}
    </article>
  );
}

/** Other passages, as links. */
function Others({ said, groups }: { said: string; groups: number[] }) {
  const { data } = useApp();
  if (!groups.length) return null;
  return (
    <>
      {" "}
      {said}:{" "}
      {groups.slice(0, OTHERS).map((other, n) => (
        <>
          {n > 0 && ", "}
          <Link to={{ view: "passages", id: other }}>passage {data.number(other)}</Link>
        </>
      ))}
      {groups.length > OTHERS && ` and ${number(groups.length - OTHERS)} more`}.
    </>
  );
}

function mostDifferent(app: ReturnType<typeof useApp>, rest: number[]): number | undefined {
  const { similarity } = app.data.raw.places,
    shown = rest.filter((o) => app.selection.places[o]);
  const from = shown.length ? shown : rest;
  return from.length ? from.reduce((least, o) => (similarity[o] < similarity[least] ? o : least)) : undefined;
}

function verdictWords(app: ReturnType<typeof useApp>, g: number): string {
  const { data } = app,
    texts = new Set<string>();
  for (let o = data.first[g]; o < data.first[g + 1] && texts.size < 2; o++) {
    const v = data.verdictOf[o];
    if (v >= 0 && data.raw.verdicts.kind[v] !== "shared") texts.add(data.raw.verdicts.text[v]); // its places say that
  }
  const [text] = texts;
  return text && texts.size === 1 ? sentence(printed(text)) : "";
}

function Places({
  g,
  all,
  first,
  right,
  pick,
}: {
  g: number;
  all: number[];
  first: number;
  right?: number;
  pick: (o: number) => void;
}) {
  const { data } = useApp(),
    [open, setOpen] = useState(false),
    { places, groups } = data.raw;
  const shown = open ? all : all.slice(0, PLACES),
    near = groups.kind[g] !== "exact",
    paths = all.some((o) => data.path(o));
  return (
    <div class="place-table">
      <table>
        <caption class="hidden">Places of passage {data.number(g)}</caption>
        <thead>
          <tr>
            <th scope="col">Place</th>
            {paths && (
              <th scope="col" class="path">
                In the page
              </th>
            )}
            {near && (
              <th scope="col" class="figure">
                Alike
              </th>
            )}
            <th scope="col">
              <span class="hidden">Copy, compare</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((o) => {
            const page = places.page[o],
              path = data.path(o),
              where = `${data.raw.pages.source[page] ?? data.pageName(page)}:${places.line[o]}`;
            return (
              <tr key={o}>
                <td>
                  <Link to={{ view: "page", id: page, at: o }}>
                    <bdi>{data.shortName(page, 70)}</bdi>, {lines(data, o)}
                  </Link>
                  {inARow(data, o) && <span class="sub"> {inARow(data, o)}</span>}
                </td>
                {paths && (
                  <td class="path">
                    {path ? <code title={path.slice(0, 500)}>{shortPath(path)}</code> : <span class="sub">–</span>}
                  </td>
                )}
                {near && (
                  <td class="figure">
                    {o === first ? (
                      <span class="sub">first</span>
                    ) : (
                      <span title={`jaccard ${places.jaccard[o]}, containment ${places.containment[o]}`}>
                        {percent(places.similarity[o])}
                      </span>
                    )}
                  </td>
                )}
                <td class="acts">
                  <Copy
                    text={where}
                    name="Copy place"
                    label={`Copy place ${where.slice(0, 200)}`}
                    title="Copies file and line, for an editor to open"
                  />
                  {all.length > 2 && o === first && <span class="sub compared">the first</span>}
                  {all.length > 2 && o !== first && (
                    <button
                      type="button"
                      class="quiet compared"
                      aria-pressed={o === right}
                      onClick={() => pick(o)}
                      aria-label={`Compare ${lines(data, o)} of ${data.shortName(page, 100)} with the first`}
                    >
                      Compare
                    </button>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {!open && all.length > PLACES && (
        <button type="button" class="more" onClick={() => setOpen(true)}>
          {count(all.length - PLACES, "more place")}
        </button>
      )}
      {groups.all_places[g] > all.length && (
        <p class="sub">and {number(groups.all_places[g] - all.length)} more in the JSON report</p>
      )}
    </div>
  );
}

function SideBySide({ g, right, level }: { g: number; right: number; level: 2 | 3 }) {
  const { data } = useApp(),
    first = data.representative(g);
  const rows = useMemo(() => compared(data, g, right), [data, g, right]);
  const Heading = `h${level + 1}` as "h3",
    pageOf = (o: number) => data.shortName(data.raw.places.page[o], 50);
  if (!rows)
    return (
      <p class="quoted" dir="auto">
        <Long text={data.groupText(g)} />
      </p>
    );
  if (!differs(data, g, right)) {
    const row = inARow(data, right),
      all = Array.from({ length: data.raw.groups.places[g] }, (_, i) => data.first[g] + i),
      everywhere =
        row || all.some((o) => o !== first && (inARow(data, o) || differs(data, g, o))) ? 2 : data.raw.groups.all_places[g];
    return (
      <div class="both">
        <Heading class="diff-title">
          The same words in {everywhere > 2 ? `all ${number(everywhere)} places` : "both places"}
          {row && `, ${row} in the second`}
        </Heading>
        {(row ? ownRows(data.groupText(g)) : rows.slice(0, 200).map((one) => one.a)).map((pieces, n) => (
          <p key={n} dir="auto">
            {pieces.map((piece, i) => (
              <Long key={i} text={piece.text} />
            ))}
          </p>
        ))}
      </div>
    );
  }
  const changed = rows.some((row) => [...row.a, ...row.b].some((piece) => piece.mark === "changed"));
  return (
    <div class={data.path(first) || data.path(right) ? "diff" : "diff flowing"}>
      <Heading class="diff-title">
        Side by side{!data.raw.groups.compared[g] && <span class="sub"> (too much to be compared word by word)</span>}
      </Heading>
      <div
        class="diff-scroll"
        tabIndex={0}
        role="region"
        aria-label={`${lines(data, first)} and ${lines(data, right)}, side by side`}
      >
        <div class="diff-row diff-heads">
          <p>
            <bdi>{pageOf(first)}</bdi>, {lines(data, first)}
          </p>
          <p>
            <bdi>{pageOf(right)}</bdi>, {lines(data, right)}
          </p>
        </div>
        {rows.slice(0, 400).map((row, n) => (
          <DiffRow key={n} row={row} />
        ))}
      </div>
      <p class="sub key-line">
        {changed && (
          <>
            <del>only in the first</del> <ins>only in the second</ins>{" "}
          </>
        )}
        {rows.some((row) => [...row.a, ...row.b].some((p) => p.mark === "between")) && (
          <span class="between wide-only">only on this side, between what is shared</span>
        )}
      </p>
    </div>
  );
}

const ownRows = (text: string): Piece[][] => text.split(/\n\s*\n/).map((one) => [{ mark: "same", text: one }]);

function DiffRow({ row }: { row: Row }) {
  return (
    <div class="diff-row">
      <p class="wide-only" dir="auto">
        <Side pieces={row.a} as="del" />
      </p>
      <p class="wide-only" dir="auto">
        <Side pieces={row.b} as="ins" />
      </p>
      <p class="narrow-only" dir="auto">
        {unified(row).map((part, i) => (
          <Marked key={i} mark={part.mark} as={part.side === "b" ? "ins" : "del"} text={part.text} named />
        ))}
      </p>
    </div>
  );
}

function Side({ pieces, as }: { pieces: Piece[]; as: "del" | "ins" }) {
  return (
    <>
      {pieces.map((piece, i) => (
        <Marked key={i} mark={piece.mark} as={as} text={piece.text} />
      ))}
    </>
  );
}

function Marked({ mark, as: Tag, text, named }: { mark: Piece["mark"]; as: "del" | "ins"; text: string; named?: boolean }) {
  if (mark === "same") return <Long text={text} />;
  if (mark === "between")
    return (
      <span class="between">
        {named && <b>only in the {Tag === "del" ? "first" : "second"}: </b>}
        <Long text={text} />
      </span>
    );
  const tail = /\s*$/.exec(text)![0];
  return text.trim() ? (
    <>
      <Tag>
        <Long text={text.slice(0, text.length - tail.length)} />
      </Tag>
      {tail}
    </>
  ) : (
    <>{text}</>
  );
}
