/** What the repeats amount to, in words: causes, verdicts by kind, small repeats. */

import { useMemo, useState } from "preact/hooks";
import { longest, renderedTwice, sharedGroups, toldCauses, toldRepeats } from "../amounts";
import { quotes } from "../apart";
import { FURNITURE, type VerdictKind } from "../data";
import { Link } from "../parts";
import { useApp } from "../state";
import { count, printed, likeness, lines, number, oneLine, sentence, VERDICTS } from "../words";

const ORDER: VerdictKind[] = ["rendered-twice", "copy-of", "shared", "teaser", "template", "navigation", "refrain"];

export function Verdicts() {
  const { data, selection, told, route } = useApp(),
    { verdicts, repeats } = data.raw;
  const causes = useMemo(() => toldCauses(data, selection, route.filter), [selection]),
    repeated = useMemo(() => toldRepeats(data, route.filter), [selection]);
  const single = data.pages === 1,
    byKind = new Map<VerdictKind, number[]>(),
    groupsOf = (rows: number[] = []) => rows.flatMap((v) => told.get(v)!),
    size = (v: number) => data.raw.groups.tokens[longest(data, told.get(v)!) ?? -1] ?? 0;
  const first = single ? renderedTwice(data, told) : -1, // it is the headline
    headline = first < 0 ? "" : verdicts.text[first];
  for (const v of told.keys()) {
    if (isTold(headline, verdicts.text[v])) continue;
    const kind = verdicts.kind[v];
    if (byKind.has(kind)) byKind.get(kind)!.push(v);
    else byKind.set(kind, [v]);
  }
  const small = repeated.filter((i) => !headline.includes(`"${repeats.text[i]}" of line `));
  if (!causes.length && !byKind.size && !small.length) return null;
  const rest = single && byKind.size === 1 && byKind.get("rendered-twice")?.length === 1;
  if (rest && !small.length && first >= 0) return null;
  return (
    <section class="verdicts" aria-labelledby="amounts">
      <h2 id="amounts">{single ? "Also on this page" : "What it amounts to"}</h2>
      {isToldTwice([...byKind.values()].map(groupsOf)) && (
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
                  <Link to={{ view: "page", id: p }}>{data.shortName(p, 60)}</Link>
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
            <Shared key={kind} groups={sharedGroups(data, groupsOf(byKind.get(kind)), groupsOf(byKind.get("copy-of")))} />
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

/** Whether a passage is among those of several kinds. */
function isToldTwice(kinds: number[][]): boolean {
  const sets = kinds.map((groups) => new Set(groups));
  return new Set(kinds.flat()).size < sets.reduce((sum, set) => sum + set.size, 0);
}

const MOST = 500,
  FIRST = 6;

function Kind({ kind, rows, skip }: { kind: VerdictKind; rows: number[]; skip: number }) {
  const { data, told } = useApp(),
    { verdicts } = data.raw,
    [open, setOpen] = useState(false);
  const all = rows.filter((v) => v !== skip),
    shown = open || all.length <= FIRST + 1 ? all : all.slice(0, FIRST);
  const single = data.pages === 1;
  if (!all.length) return null;
  if (FURNITURE.has(kind) && all.length > 1) {
    const groups = new Set(all.flatMap((v) => told.get(v)!)),
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
          g = longest(data, told.get(v)!);
        return (
          <li key={v}>
            <span class="tag">{VERDICTS[kind].name}</span>
            <p dir="auto">
              {!single && (
                <>
                  <Link to={{ view: "page", id: p }}>{data.shortName(p, 80)}</Link>:{" "}
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

/** The shown places of a passage, each with its page and lines. */
function Stands({ g }: { g: number }) {
  const { data, selection } = useApp(),
    known = Array.from({ length: data.raw.groups.places[g] }, (_, i) => data.first[g] + i),
    own = known.filter((o) => selection.places[o]),
    all = data.raw.groups.all_places[g] - known.length + own.length,
    shown = own.slice(0, all === PLACES + 1 ? all : PLACES);
  return (
    <>
      {shown.map((o, n) => {
        const page = data.raw.places.page[o];
        return (
          <>
            {n > 0 && (n === shown.length - 1 && all === shown.length ? " and " : "; ")}
            <Link to={{ view: "page", id: page, at: o }}>
              <bdi>{data.called(page)}</bdi>, {lines(data, o)}
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
                : `${single ? "" : `${data.shortName(page[rows[0]], 40)}, `}lines ${lines[rows[0]].join(", ")}`}
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
