import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { arcs, BAR, BRACKET, HEIGHT, labelled, WIDTH } from "../arcs";
import { pageShares } from "../figures";
import { parseHash } from "../filter";
import { useEvent } from "../keys";
import { Link, Long, look, ShareBar, shareWords } from "../parts";
import { type Label, type Labelled, labels, type Paragraph, paragraphs, placesOn } from "../segments";
import { useApp } from "../state";
import {
  again,
  count,
  printed,
  elsewhere,
  inARow,
  likeness,
  lines,
  number,
  oneLine,
  percent,
  sentence,
  VERDICTS,
  where,
} from "../words";

export function PageView({ page }: { page: number }) {
  const app = useApp(),
    { data, selection, told } = app;
  useEvent("dedup-move", (step) => {
    const next = (parseHash(location.hash).id ?? page) + step;
    if (next >= 0 && next < data.pages) app.go({ view: "page", id: next });
  });
  if (page >= data.pages) return <p>There is no such page in this report.</p>;
  const { verdicts } = data.raw,
    shares = pageShares(data, selection, page),
    title = data.title(page);
  const own = verdicts.page.flatMap((p, v) => (p === page && told.has(v) ? [v] : []));
  return (
    <article class="page">
      <header>
        {data.pages > 1 && (
          <p class="eyebrow">
            <Link to={{ view: "pages" }}>All pages</Link>
          </p>
        )}
        <h1 dir="auto">{title ?? data.pageName(page)}</h1>
        <p class="sub" dir="auto">
          {data.raw.pages.source[page] ?? data.pageName(page)} · {count(data.raw.pages.words[page], "word")}
          {data.raw.pages.reference[page] === 1 && " · reference"}
        </p>
        <div class="page-share">
          <ShareBar shares={shares} label={shareWords(shares)} />
          <span>{shareWords(shares)}</span>
        </div>
        {own.length > 0 && (
          <ul class="sentences">
            {own.map((v) => (
              <li key={v}>
                <span class="tag">{VERDICTS[verdicts.kind[v]].name}</span>
                <p dir="auto">{sentence(printed(verdicts.text[v]))}</p>
              </li>
            ))}
          </ul>
        )}
      </header>
      <PageText page={page} />
    </article>
  );
}

/** The page's text with its repeated passages marked, the arcs above it, and a list of them beside it. */
export function PageText({ page }: { page: number }) {
  const app = useApp(),
    { data, selection } = app;
  const places = useMemo(() => placesOn(data, selection, page), [data, selection, page]);
  const [lit, light] = useState<number | null>(null),
    box = useRef<HTMLDivElement>(null);
  const show = (place: number) => {
    light(place);
    const mark = document.getElementById(`place-${place}`);
    mark?.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
    mark?.focus({ preventScroll: true });
    app.announce(`Passage ${data.number(data.groupOf[place])}, ${lines(data, place)}`);
  };
  useEffect(() => {
    if (app.route.at !== null && app.route.view === "page") requestAnimationFrame(() => show(app.route.at!));
  }, [app.route.at, page]);
  useEvent("dedup-jump", (step) => {
    if (!places.length) return;
    const at = lit === null ? (step > 0 ? -1 : 0) : places.indexOf(lit);
    show(places[(at + step + places.length) % places.length]);
  });
  if (!places.length)
    return (
      <p class="notice">
        No passage of this page stands twice{selection.groups.length < data.groups ? " among what is shown" : ""}.
      </p>
    );
  return (
    <section class="page-text" aria-label="The page">
      <Arcs page={page} lit={lit} show={show} />
      <div class="beside">
        <Legend places={places} lit={lit} show={show} />
        <Text page={page} lit={lit} box={box} />
      </div>
    </section>
  );
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const LOWEST = 50, // of 150: a picture of low arcs is cut above them
  WIDEST = 1180; // pixels

function Arcs({ page, lit, show }: { page: number; lit: number | null; show: (place: number) => void }) {
  const { data, selection } = useApp(),
    drawn = useMemo(() => arcs(data, selection, page), [data, selection, page]);
  const group = lit === null ? null : data.groupOf[lit],
    inner = drawn.arcs.length > 0;
  const title = inner ? "Where this page repeats itself" : "What of this page stands on others";
  const words = inner
    ? `The bar is the page, from its beginning to its end; an arc joins two places that say the same${
        drawn.bars.some((bar) => bar.bracket) ? ", a bracket shows how far a long one goes" : ""
      }.`
    : "The bar is the page, from its beginning to its end; all of its repeats stand on other pages.";
  const outside = drawn.bars.some((bar) => bar.elsewhere),
    under = HEIGHT + BAR + (drawn.bars.some((bar) => bar.bracket) ? BRACKET : 0),
    below = under - HEIGHT + (outside ? 16 : 0),
    highest = drawn.arcs.reduce((most, arc) => Math.max(most, arc.rise + 4), inner ? LOWEST : 24),
    top = HEIGHT - Math.min(highest, HEIGHT),
    tall = HEIGHT + below - top;
  return (
    <figure class="arcs" aria-labelledby="arcs-title">
      <figcaption>
        <h2 id="arcs-title">{title}</h2>
        <p class="sub">{words}</p>
      </figcaption>
      <div class="arcs-box">
        <svg
          viewBox={`0 ${top} ${WIDTH} ${tall}`}
          preserveAspectRatio="none"
          role="img"
          style={{ "--part": tall / (HEIGHT + below) }}
          aria-label={`${count(drawn.arcs.length, "arc")}; the list below says where.`}
        >
          <rect class="arcs-base" x={0} y={HEIGHT} width={WIDTH} height={BAR} />
          {drawn.arcs.map((arc) => (
            <path
              key={arc.to}
              class={`arc ${look(arc.group)}${group === arc.group ? " lit" : group === null ? "" : " dim"}`}
              d={arc.path}
              style={{ opacity: arc.opacity }}
              onClick={() => show(lit === arc.to ? arc.from : arc.to)}
            >
              <title>{`Passage ${data.number(arc.group)}: ${lines(data, arc.from)} again at ${lines(data, arc.to)}`}</title>
            </path>
          ))}
          {drawn.bars.map((bar) => (
            <g
              key={bar.place}
              class={`${look(bar.group)}${group !== null && group !== bar.group ? " dim" : ""}`}
              onClick={() => show(bar.place)}
            >
              <rect class="arcs-bar" x={bar.x} y={HEIGHT} width={bar.width} height={BAR} />
              {bar.bracket && <path class="arcs-out arcs-bracket" d={bar.bracket} />}
              {bar.elsewhere && <rect class="arcs-out" x={bar.x} y={under + 4} width={bar.width} height={10} />}
              <title>{`Passage ${data.number(bar.group)}, ${lines(data, bar.place)}${bar.elsewhere ? ", on other pages too" : ""}`}</title>
            </g>
          ))}
        </svg>
        {labelled(drawn.arcs, Math.min(innerWidth, WIDEST)).map((arc) => (
          <span
            key={arc.to}
            class={`badge ${look(arc.group)}`}
            aria-hidden="true"
            style={{ left: `${arc.top[0] / (WIDTH / 100)}%`, top: `${(100 * (arc.top[1] - top)) / tall}%` }}
          >
            {data.number(arc.group)}
          </span>
        ))}
      </div>
      <p class="ends">
        <span>beginning</span>
        {outside && <span>outlined below: on other pages too</span>}
        <span>end</span>
      </p>
    </figure>
  );
}

const LISTED = 60,
  PLACES = 12;

function Legend({ places, lit, show }: { places: number[]; lit: number | null; show: (place: number) => void }) {
  const { data } = useApp(),
    groups = [...new Set(places.map((o) => data.groupOf[o]))];
  return (
    <nav class="places" aria-label="Passages of this page">
      <ol>
        {groups.slice(0, LISTED).map((g) => {
          const own = places.filter((o) => data.groupOf[o] === g),
            first = own[0],
            more = Math.max(own.length - PLACES, 0),
            told = again(own.slice(0, PLACES).map((o) => lines(data, o)));
          return (
            <li key={g} class={look(g)}>
              <Link to={{ view: "passages", id: g }} class="badge" label={`Passage ${data.number(g)}, all about it`}>
                {data.number(g)}
              </Link>
              <div>
                <span class="where">
                  {own.slice(0, PLACES).map((o, n) => (
                    <>
                      {n > 0 && (
                        <span class="again">{n === 1 ? ", again at " : n === told.length - 1 && !more ? " and " : ", "}</span>
                      )}
                      <button
                        type="button"
                        class="jump"
                        aria-pressed={lit === o}
                        aria-label={lines(data, o)}
                        onClick={() => show(o)}
                      >
                        {told[n]}
                      </button>
                      {inARow(data, o) && <span class="again"> ({inARow(data, o)})</span>}
                    </>
                  ))}
                  {more > 0 && ` and ${number(more)} more`}
                </span>
                {own.length === 1 && <span class="sub">also {elsewhere(data, first)}</span>}
                <span class="sub">
                  {count(data.raw.groups.tokens[g], "word")}, {likeness(data, g)}
                </span>
                <span class="quote" dir="auto">
                  {oneLine(data.groupText(g), 70)}
                </span>
              </div>
            </li>
          );
        })}
      </ol>
      {groups.length > LISTED && <p class="sub">and {number(groups.length - LISTED)} more, all marked in the text</p>}
    </nav>
  );
}

// The text. Long stretches that stand once are folded; the browser lays out only what is in sight.

const KEPT = 2,
  CHUNK = 60;

function Text({ page, lit, box }: { page: number; lit: number | null; box: { current: HTMLDivElement | null } }) {
  const { data, selection } = useApp(),
    all = useMemo(() => paragraphs(data, selection, page), [data, selection, page]);
  const items = useMemo(() => {
    const named = labels(all);
    return folded(all.map((paragraph, i) => ({ paragraph, ...named[i] })));
  }, [all]);
  const chunks = Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, i) => items.slice(i * CHUNK, (i + 1) * CHUNK));
  return (
    <div class="text" ref={box}>
      {data.raw.pages.text[page] === null && (
        <p class="notice">The text of this page is not in this file; these are its repeated passages, in order.</p>
      )}
      {chunks.map((chunk, i) => (
        <div class="chunk" key={i}>
          {chunk.map((item, n) =>
            "folded" in item ? <Fold key={n} paragraphs={item.folded} lit={lit} /> : <Para key={n} named={item} lit={lit} />,
          )}
        </div>
      ))}
    </div>
  );
}

type Named = Labelled & { paragraph: Paragraph };
type Item = Named | { folded: Named[] };

function folded(all: Named[]): Item[] {
  const out: Item[] = [];
  for (let i = 0; i < all.length;) {
    let end = i;
    while (end < all.length && plain(all[end].paragraph)) end++;
    const before = i === 0 ? 0 : KEPT,
      after = end === all.length ? 0 : KEPT;
    if (end - i > before + after + 3) {
      out.push(...all.slice(i, i + before), { folded: all.slice(i + before, end - after) }, ...all.slice(end - after, end));
    } else out.push(...all.slice(i, end));
    if (end < all.length) out.push(all[end]);
    i = end + 1;
  }
  return out;
}

const plain = (p: Paragraph) => !p.missing && !p.begins.length && p.runs.every((run) => !run.places.length);

function Fold({ paragraphs: hidden, lit }: { paragraphs: Named[]; lit: number | null }) {
  const [open, setOpen] = useState(false);
  if (open)
    return (
      <>
        {hidden.map((p, n) => (
          <Para key={n} named={p} lit={lit} />
        ))}
      </>
    );
  return (
    <button type="button" class="more fold" onClick={() => setOpen(true)}>
      … {count(hidden.length, "paragraph")} that {hidden.length === 1 ? "stands" : "stand"} once …
    </button>
  );
}

function Para({ named, lit }: { named: Named; lit: number | null }) {
  const { data } = useApp(),
    { paragraph, whole, above, inside } = named;
  if (paragraph.missing) return <p class="gap">… {count(paragraph.missing, "character")} that are not shown …</p>;
  return (
    <>
      {above.map((label) => (
        <Begin key={label.place} label={label} lit={lit === label.place} />
      ))}
      <p
        class={
          whole !== null ? `covered ${look(data.groupOf[whole])}${isLit(whole, lit, data.groupOf) ? " lit" : ""}` : "para"
        }
        data-line={paragraph.line ?? undefined}
        dir="auto"
      >
        {paragraph.runs.map((run, n) => (
          <>
            {inside[n].map((label) => (
              <Inside key={label.place} label={label} lit={lit === label.place} />
            ))}
            <RunText key={n} text={run.text} places={run.places} whole={whole} lit={lit} />
          </>
        ))}
      </p>
    </>
  );
}

const isLit = (place: number, lit: number | null, groupOf: Int32Array) => lit !== null && groupOf[place] === groupOf[lit];

/** The line above a passage: its number, and where it stands again. */
function Begin({ label, lit }: { label: Label; lit: boolean }) {
  const { data } = useApp(),
    { place, goesOn } = label,
    g = data.groupOf[place],
    similarity = data.raw.places.similarity[place];
  const next = nextPlace(data, place),
    near = data.raw.groups.kind[g] === "near" && similarity < 1;
  const badge = (
    <Link to={{ view: "passages", id: g }} class="badge" label={`Passage ${data.number(g)}`}>
      {data.number(g)}
    </Link>
  );
  if (goesOn)
    return (
      <span class={`begin on ${look(g)}`}>
        {badge}
        <span class="line">goes on</span>
      </span>
    );
  return (
    <span class={`begin ${look(g)}${lit ? " lit" : ""}`} id={`place-${place}`} tabIndex={-1}>
      {badge}
      <span class="line">{where(data, place)}</span>
      {next !== null && (
        <Link class="also" to={{ view: "page", id: data.raw.places.page[next], at: next }}>
          also {elsewhere(data, place)}
        </Link>
      )}
      {near && <span class="sub">{percent(similarity)} alike</span>}
    </span>
  );
}

/** The number before a passage that lies inside other text; drawn by the style sheet, so that it is never copied with the text. */
function Inside({ label, lit }: { label: Label; lit: boolean }) {
  const { data } = useApp(),
    { place, goesOn } = label,
    g = data.groupOf[place];
  const told = `Passage ${data.number(g)}${goesOn ? " goes on" : `, ${where(data, place)}, also ${elsewhere(data, place)}`}`;
  return (
    <span class={`begin inside ${look(g)}${lit ? " lit" : ""}`} id={goesOn ? undefined : `place-${place}`} tabIndex={-1}>
      <a
        class="badge"
        href={useApp().href({ view: "passages", id: g })}
        aria-label={told}
        title={told}
        data-number={data.number(g)}
      />
    </span>
  );
}

function nextPlace(data: ReturnType<typeof useApp>["data"], place: number): number | null {
  const g = data.groupOf[place],
    first = data.first[g],
    end = data.first[g + 1];
  if (end - first < 2) return null;
  const page = data.raw.places.page[place],
    own: number[] = [];
  for (let o = first; o < end; o++) if (o !== place && data.raw.places.page[o] === page) own.push(o);
  if (own.length) return own.find((o) => o > place) ?? own[0];
  return place + 1 < end ? place + 1 : first;
}

function RunText({ text, places, whole, lit }: { text: string; places: number[]; whole: number | null; lit: number | null }) {
  const { data } = useApp();
  const marked = places.filter((o) => o !== whole).slice(0, 3);
  let node = <Long text={text} />;
  for (const o of marked.reverse()) {
    const g = data.groupOf[o];
    node = (
      <mark class={`${look(g)}${isLit(o, lit, data.groupOf) ? " lit" : ""}`} title={`Passage ${data.number(g)}`}>
        {node}
      </mark>
    );
  }
  return node;
}
