/** What the repeats amount to, in words: causes, verdicts by kind, small repeats. */

import { useState } from "preact/hooks";
import { quotes } from "../apart";
import type { Data, VerdictKind } from "../data";
import { Link } from "../parts";
import { useApp } from "../state";
import { count, printed, likeness, lines, number, oneLine, sentence, VERDICTS } from "../words";

const ORDER: VerdictKind[] = ["rendered-twice", "copy-of", "shared", "teaser", "template", "navigation", "refrain"];

export function Verdicts() {
  const app = useApp(),
    { data } = app,
    { causes, verdicts, repeats } = data.raw;
  const single = data.pages === 1;
  if (!causes.length && !verdicts.page.length && !repeats.page.length) return null;
  const shown = app.selection,
    byKind = new Map<VerdictKind, number[]>(),
    size = (v: number) => data.raw.groups.tokens[longest(data, verdicts.groups[v]) ?? -1] ?? 0;
  const first = single ? verdicts.kind.indexOf("rendered-twice") : -1, // it is the headline
    headline = first < 0 ? "" : verdicts.text[first];
  verdicts.kind.forEach((kind, v) => {
    if (isTold(headline, verdicts.text[v])) return;
    const groups = verdicts.groups[v];
    if (groups.length && !groups.some((g) => anyPlace(data, shown.places, g))) return;
    byKind.set(kind, [...(byKind.get(kind) ?? []), v]);
  });
  const small = repeats.text.flatMap((text, i) => (headline.includes(`"${text}" of line `) ? [] : [i]));
  const rest = single && byKind.size === 1 && byKind.get("rendered-twice")?.length === 1;
  if (rest && !small.length && first >= 0) return null;
  return (
    <section class="verdicts" aria-labelledby="amounts">
      <h2 id="amounts">{single ? "Also on this page" : "What it amounts to"}</h2>
      {[...byKind.values()].some((rows) => isToldTwice(data, byKind, rows)) && (
        <p class="sub">A passage may be two things, such as a teaser that other pages share: it counts under both.</p>
      )}
      <ul class="sentences">
        {causes.map((cause, i) => (
          <li key={i} class="cause">
            <p dir="auto">{sentence(printed(cause.text))}</p>
            <p class="sub">
              {cause.groups.length > 0 && (
                <>
                  {cause.groups.length > 1 ? "The largest is " : "It is in "}
                  <Link to={{ view: "passages", id: cause.groups[0] }}>passage {data.number(cause.groups[0])}</Link> (
                  {count(data.raw.groups.tokens[cause.groups[0]], "word")}){cause.examples.length > 0 && ", for example on "}
                </>
              )}
              {cause.examples.map((p, n) => (
                <>
                  {n > 0 && ", "}
                  <Link to={{ view: "page", id: p }}>{oneLine(data.pageName(p), 60)}</Link>
                </>
              ))}
            </p>
            <p class="sub">
              For whoever builds the site: <Ticked text={cause.remedy} />.
            </p>
          </li>
        ))}
        {ORDER.filter((kind) => byKind.has(kind)).map((kind) =>
          kind === "shared" ? (
            <Shared key={kind} groups={sharedGroups(data, byKind.get(kind)!)} />
          ) : (
            <Kind key={kind} kind={kind} rows={byKind.get(kind)!.sort((v, w) => size(w) - size(v) || v - w)} skip={first} />
          ),
        )}
        {small.length > 0 && <SmallRepeats rows={small} />}
      </ul>
    </section>
  );
}

/** Whether the headline names a teaser among what lies inside a copy: then that is said, and the text shows the rest. */
export function isTold(headline: string, verdict: string): boolean {
  const line = /^the teaser at line (\d+) /.exec(verdict)?.[1];
  return line !== undefined && new RegExp(`\\bthe teaser of line ${line}\\b`).test(headline);
}

function isToldTwice(data: Data, byKind: Map<VerdictKind, number[]>, rows: number[]): boolean {
  const own = new Set(rows.flatMap((v) => data.raw.verdicts.groups[v]));
  return [...byKind.values()].some(
    (others) => others !== rows && others.some((v) => data.raw.verdicts.groups[v].some((g) => own.has(g))),
  );
}

/** The passages of verdicts, the longest first, without those that another page's verdict as a copy tells already. */
export function sharedGroups(data: Data, rows: number[]): number[] {
  const { verdicts, groups } = data.raw,
    told = new Set(verdicts.kind.flatMap((kind, v) => (kind === "copy-of" ? verdicts.groups[v] : [])));
  const found = new Set(rows.flatMap((v) => verdicts.groups[v]).filter((g) => !told.has(g) || groups.all_places[g] > 2));
  return [...found].sort((a, b) => groups.tokens[b] - groups.tokens[a] || a - b);
}

function anyPlace(data: Data, places: Uint8Array, g: number): boolean {
  for (let o = data.first[g]; o < data.first[g + 1]; o++) if (places[o]) return true;
  return false;
}

const MOST = 500,
  FIRST = 6;
const FOLDED = new Set<VerdictKind>(["template", "navigation", "refrain"]);

function Kind({ kind, rows, skip }: { kind: VerdictKind; rows: number[]; skip: number }) {
  const { data } = useApp(),
    { verdicts } = data.raw,
    [open, setOpen] = useState(false);
  const all = rows.filter((v) => v !== skip),
    shown = open || all.length <= FIRST + 1 ? all : all.slice(0, FIRST);
  const single = data.pages === 1;
  if (!all.length) return null;
  if (FOLDED.has(kind) && all.length > 1) {
    const groups = new Set(all.flatMap((v) => verdicts.groups[v])),
      pages = new Set(all.map((v) => verdicts.page[v])),
      first = [...groups].slice(0, 3),
      quoted = quotes(data, first);
    return (
      <li>
        <span class="tag">{VERDICTS[kind].name}</span>
        <p dir="auto">
          {count(groups.size || all.length, "passage")}
          {single ? "" : ` on ${count(pages.size, "page")}`}:{" "}
          {first.map((g, n) => (
            <>
              {n > 0 && ", "}
              <Link to={{ view: "passages", id: g }}>“{quoted(n, 60)}”</Link>
            </>
          ))}
          {groups.size > 3 && " and more"}
        </p>
      </li>
    );
  }
  return (
    <>
      {shown.slice(0, MOST).map((v) => {
        const p = verdicts.page[v],
          g = longest(data, verdicts.groups[v]);
        return (
          <li key={v}>
            <span class="tag">{VERDICTS[kind].name}</span>
            <p dir="auto">
              {!single && (
                <>
                  <Link to={{ view: "page", id: p }}>{oneLine(data.pageName(p), 80)}</Link>:{" "}
                </>
              )}
              {sentence(printed(verdicts.text[v]))}{" "}
              {g !== undefined && <Link to={{ view: "passages", id: g }}>Passage {data.number(g)}</Link>}
            </p>
          </li>
        );
      })}
      {all.length > shown.length && (
        <li>
          <button type="button" class="more" onClick={() => setOpen(true)}>
            {VERDICTS[kind].name}: {number(all.length - shown.length)} more
          </button>
        </li>
      )}
      {shown.length > MOST && (
        <li>
          <p>
            And {number(shown.length - MOST)} more like this: <Link to={{ view: "pages" }}>all pages</Link>.
          </p>
        </li>
      )}
    </>
  );
}

/** Each passage that other pages have too once, with its first words and the places where it stands. */
function Shared({ groups }: { groups: number[] }) {
  const { data } = useApp(),
    [open, setOpen] = useState(false),
    shown = (open || groups.length <= FIRST + 1 ? groups : groups.slice(0, FIRST)).slice(0, MOST),
    quoted = quotes(data, shown);
  return (
    <>
      {shown.map((g, n) => (
        <li key={g} class="shared">
          <span class="tag">{VERDICTS.shared.name}</span>
          <div>
            <p dir="auto">
              <Link to={{ view: "passages", id: g }}>“{quoted(n, 90)}”</Link>
            </p>
            <p class="sub">
              {count(data.raw.groups.tokens[g], "word")}, {likeness(data, g)}: <Stands g={g} />
            </p>
          </div>
        </li>
      ))}
      {groups.length > shown.length && (
        <li>
          {open ? (
            <p>
              And {number(groups.length - shown.length)} more like this: <Link to={{ view: "passages" }}>all passages</Link>.
            </p>
          ) : (
            <button type="button" class="more" onClick={() => setOpen(true)}>
              {VERDICTS.shared.name}: {number(groups.length - shown.length)} more
            </button>
          )}
        </li>
      )}
    </>
  );
}

const PLACES = 3;

/** The places of a passage, each with its page's title and lines. */
function Stands({ g }: { g: number }) {
  const { data } = useApp(),
    all = data.raw.groups.all_places[g],
    own = Array.from({ length: data.raw.groups.places[g] }, (_, i) => data.first[g] + i),
    shown = own.slice(0, all === PLACES + 1 ? all : PLACES);
  return (
    <>
      {shown.map((o, n) => {
        const page = data.raw.places.page[o];
        return (
          <>
            {n > 0 && (n === shown.length - 1 && all === shown.length ? " and " : "; ")}
            <Link to={{ view: "page", id: page, at: o }}>
              <bdi>{oneLine(data.title(page) ?? data.pageName(page), 60)}</bdi>, {lines(data, o)}
            </Link>
          </>
        );
      })}
      {all > shown.length && ` and ${count(all - shown.length, "more place")}`}
    </>
  );
}

function SmallRepeats({ rows }: { rows: number[] }) {
  const { data } = useApp(),
    { text, lines, page } = data.raw.repeats,
    single = data.pages === 1,
    most = single ? 8 : 5;
  const on = new Map<string, number[]>();
  rows.forEach((i) => on.set(text[i], [...(on.get(text[i]) ?? []), i]));
  const all = [...on].sort((a, b) => b[1].length - a[1].length);
  return (
    <li class="small-repeats">
      <span class="tag">Small repeats</span>
      <p dir="auto">
        Too short to be compared, but there twice:{" "}
        {all.slice(0, most).map(([t, rows], n) => (
          <>
            {n > 0 && ", "}“{oneLine(t, 50)}”{" "}
            <span class="sub">
              (
              {rows.length > 1
                ? `on ${number(rows.length)} pages`
                : `${single ? "" : `${oneLine(data.pageName(page[rows[0]]), 40)}, `}lines ${lines[rows[0]].join(", ")}`}
              )
            </span>
          </>
        ))}
        {all.length > most && ` and ${number(all.length - most)} more`}.
      </p>
    </li>
  );
}

/** Text with its parts between backticks as code. */
function Ticked({ text }: { text: string }) {
  return <>{text.split("`").map((part, i) => (i % 2 ? <code key={i}>{part}</code> : part))}</>;
}

/** The longest of some passages: what a verdict is about. */
export function longest(data: Data, groups: number[]): number | undefined {
  return [...groups].sort((a, b) => data.raw.groups.tokens[b] - data.raw.groups.tokens[a] || a - b)[0];
}
