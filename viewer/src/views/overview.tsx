import { longest, renderedTwice } from "../amounts";
import type { Data, Trouble } from "../data";
import { isEmpty } from "../filter";
import type { App } from "../state";
import { useApp } from "../state";
import { Copy, Link, ShareBar, shareWords, USES } from "../parts";
import { count, printed, number, oneLine, percent, sentence, times } from "../words";
import { headShares, type Shares } from "../figures";
import { Verdicts } from "./verdicts";
import { PageText } from "./page";
import { Card } from "./card";

const SHOWN = 30,
  FILES = 3;

export function Overview() {
  const app = useApp(),
    { data } = app;
  return (
    <div class="overview">
      <Answer />
      {data.groups > 0 && <Figures />}
      <Verdicts />
      {data.pages === 1 && data.groups > 0 && <PageText page={0} />}
      {data.raw.comparison && <Compared />}
      <Misses />
      <Troubles id="troubles" title="Not compared" told={data.raw.troubles} all={data.raw.all.troubles} />
      <Troubles id="notes" title="Read with a guess" told={data.raw.notes} all={data.raw.all.notes} />
      <Made />
    </div>
  );
}

/** The shares of the report, split as what is shown is split. */
const shownShares = ({ data, head, whole }: App): Shares =>
  headShares(data.raw.summary as Record<"duplicate_share" | "content_share", number>, head, whole);

function Answer() {
  const app = useApp(),
    { data } = app,
    { raw } = data;
  const single = data.pages === 1 && !raw.comparison;
  return (
    <header class="answer">
      <p class="eyebrow">
        {single
          ? (raw.pages.title[0] ?? raw.pages.id[0])
          : raw.comparison
            ? "Two pages compared"
            : `${count(raw.summary.pages, "page")}${raw.summary.reference_pages ? ` against ${count(raw.summary.reference_pages, "reference page")}` : ""}`}
      </p>
      <h1 dir="auto">{answer(app)}</h1>
      <Where />
      <Content />
      {data.groups === 0 && <p class="lead">{lookedFor(data)}</p>}
    </header>
  );
}

/** Of an article that stands twice, where: what comes behind the verdict's first words. */
function Where() {
  const { data, told } = useApp(),
    { verdicts } = data.raw,
    v = renderedTwice(data, told);
  if (data.pages !== 1 || v < 0) return null;
  const [, where] = parted(verdicts.text[v]),
    g = longest(data, told.get(v)!);
  return (
    <p class="lead where" dir="auto">
      {sentence(where)} {g !== undefined && <Link to={{ view: "passages", id: g }}>See both copies</Link>}
    </p>
  );
}

/** Of several pages, the share where a verdict is the answer; and what is left of it without what every site repeats. */
function Content() {
  const app = useApp(),
    { data } = app,
    { summary, comparison } = data.raw;
  if (!isAll(app)) return null;
  if (data.pages === 1 || comparison || !summary.duplicate_chars) return null;
  const parts = [
    isVerdict(app) && `${percent(summary.duplicate_share)} of the text is repeated`,
    summary.content_share !== summary.duplicate_share &&
      `without the site's template, its menus and refrains: ${percent(summary.content_share)}`,
  ].filter(Boolean);
  return parts.length ? <p class="lead where">{sentence(parts.join("; "))}</p> : null;
}

/** A verdict's first words, and what comes behind the colon. */
function parted(text: string): [string, string] {
  const cut = text.indexOf(": "),
    spelt = printed(text);
  return cut < 0 ? [spelt, ""] : [spelt.slice(0, cut), spelt.slice(cut + 2)];
}

/** Whether all that was found is shown. */
const isAll = ({ route, ignored }: App) => isEmpty(route.filter) && !ignored.size;

/** Whether the answer is a verdict: on all that was found, not on what filters leave of it. */
const isVerdict = (app: App) => app.data.raw.headline !== null && isAll(app);

/** The answer in one sentence. */
function answer(app: App): string {
  const { data, told } = app,
    { raw } = data,
    { summary } = raw,
    all = isAll(app),
    rest = all ? "" : ", in what is shown";
  if (!summary.pages) return "No page could be read.";
  if (!data.groups) return summary.reference_pages ? "Nothing of it stands in the references." : "Nothing stands twice.";
  if (raw.comparison && data.pages === 2 && all) {
    const [a, b] = [0, 1].map((p) => `${percent(raw.pages.across[p])} of ${data.shortName(p, 60)}`);
    return raw.pages.across[0] || raw.pages.across[1]
      ? `${a} and ${b} stand in the other${raw.edited}.`
      : "The two pages share nothing; one of them repeats itself.";
  }
  if (data.pages === 1) {
    const twice = renderedTwice(data, told),
      { groups } = app.selection;
    if (twice >= 0) return sentence(parted(raw.verdicts.text[twice])[0]);
    return `${count(groups.length, "passage")} ${groups.length === 1 ? "stands" : "stand"} more than once on this page${rest}.`;
  }
  if (isVerdict(app)) return raw.headline!;
  const share = percent(all ? summary.duplicate_share : shownShares(app).all);
  return summary.reference_pages
    ? `${share} of the text stands in the references too${rest}.`
    : `${share} of the text on ${count(summary.pages, "page")} is repeated${rest}.`;
}

function lookedFor(data: Data): string {
  const { asked, summary } = data.raw,
    unit = asked.unit === "page" ? "page" : "block";
  if (!summary.pages) return "";
  const least = count(Number(asked.min_tokens), "word");
  if (!summary.compared) return `Nothing was long enough to be compared: every ${unit} has under ${least} (--min-tokens).`;
  const alike = asked.find === "exact" ? "equal" : `at least ${percent(Number(asked.threshold))} alike`;
  return (
    `${count(summary.compared, unit)} of ${least} or more were compared; looked for ${unit}s that are ${alike}` +
    (unit === "page" ? "." : `, and for any ${least} in a row that stand twice.`)
  );
}

function Figures() {
  const app = useApp(),
    { data, head } = app,
    shares = shownShares(app),
    { summary } = data.raw;
  const single = data.pages === 1;
  return (
    <section class="figures" aria-label="Figures">
      <ShareBar shares={shares} label={`Repeated: ${shareWords(shares)}`} />
      <ul class="legend">
        {USES.filter(([use]) => shares[use] > 0).map(([use, words]) => (
          <li key={use}>
            <span class={`key bar-${use}`} aria-hidden="true" />
            <b>{percent(shares[use])}</b> {words}
          </li>
        ))}
        <li>
          <span class="key bar-rest" aria-hidden="true" />
          <b>{((1000 - Math.floor(shares.all * 1000 + 1e-6)) / 10).toFixed(1)} %</b> everything else, first copies too
        </li>
      </ul>
      <dl class="facts">
        {!single && (
          <div>
            <dt>{head.parts ? `passages, and ${number(head.parts)} that are parts of them` : "passages"}</dt>
            <dd>{number(head.groups - head.parts)}</dd>
          </div>
        )}
        {!single && !data.raw.comparison && (
          <div>
            <dt>pages with repeats, of {number(summary.pages)}</dt>
            <dd>{number(head.pages)}</dd>
          </div>
        )}
        <div>
          <dt>words in all</dt>
          <dd>{number(data.raw.words)}</dd>
        </div>
        <div>
          <dt>words fewer, if every text stood once</dt>
          <dd>{number(head.words)}</dd>
        </div>
      </dl>
      <p class="sub counted">
        {single && `${count(head.groups, "passage")} in all. `}Percentages are of characters; where two passages overlap, the
        text counts once. {linesAre(data)}
      </p>
    </section>
  );
}

/** What the lines are that are told everywhere; records have none of their own. */
function linesAre(data: Data): string {
  const places = data.raw.places.line.length;
  if (!places || !data.raw.pages.lines.some(Boolean)) return "";
  return data.raw.places.path.some((path) => path >= 0)
    ? "Lines are those of the file: its HTML source."
    : "Lines are those of the file.";
}

// A comparison, near misses, what could not be read, how it was made.

const CARDS = 20;

function Compared() {
  const { selection } = useApp();
  const groups = Array.from(selection.groups).slice(0, CARDS);
  return (
    <section aria-labelledby="shared">
      <h2 id="shared">Passages, the longest first</h2>
      {groups.map((g) => (
        <Card key={g} group={g} level={3} />
      ))}
      {selection.groups.length > CARDS && (
        <p>
          <Link to={{ view: "passages" }}>All {number(selection.groups.length)} passages</Link>
        </p>
      )}
    </section>
  );
}

function Misses() {
  const { data } = useApp(),
    { misses } = data.raw;
  if (!misses) return null;
  return (
    <section class="misses" aria-labelledby="misses">
      <h2 id="misses">Came near, and is not reported</h2>
      {!misses.length && <p>Nothing else came near.</p>}
      <ul class="sentences">
        {misses.slice(0, SHOWN).map((miss, i) => (
          <li key={i}>
            <p>
              <b>{sentence(miss.why)}</b> <span class="sub">{miss.measures.join(" · ")}</span>
            </p>
            {miss.sides.map(([page, line, end, text], side) => (
              <p key={side} class="quoted" dir="auto">
                <span class="sub">
                  {"AB"[side]} · {page < 0 ? "" : `${data.shortName(page, 60)}, `}
                  line {line}
                  {end > line ? `–${end}` : ""}
                </span>
                <br />
                {text}
              </p>
            ))}
          </li>
        ))}
      </ul>
      {misses.length > SHOWN && <p class="sub">and {number(misses.length - SHOWN)} more</p>}
    </section>
  );
}

function Troubles({ id, title, told, all }: { id: string; title: string; told: Trouble[]; all: number }) {
  if (!told.length) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <ul class="plain">
        {told.slice(0, SHOWN).map(([what, why, places, hidden], i) => (
          <li key={i} dir="auto">
            {what && <b>{what}: </b>}
            {sentence(what ? oneLine(why, 300) : oneLine(why, 300))}{" "}
            <span class="sub">
              {places.slice(0, FILES).map(([name, source, lines], n) => (
                <>
                  {n > 0 && "; "}
                  <bdi title={source}>{oneLine(name, 80)}</bdi>
                  {lines.length > 0 && `, ${lines.length > 1 ? "lines" : "line"} ${lines.map(number).join(", ")}`}
                </>
              ))}
              {hidden + places.length > FILES && ` and ${number(hidden + Math.max(places.length - FILES, 0))} more`}
            </span>
          </li>
        ))}
        {all > SHOWN && <li>and {number(all - SHOWN)} more reasons</li>}
      </ul>
    </section>
  );
}

function Made() {
  const { data } = useApp(),
    { raw } = data,
    { summary } = raw,
    unit = raw.asked.unit === "page" ? "page" : "block";
  return (
    <section class="made" aria-labelledby="made">
      <h2 id="made">How this was made</h2>
      {raw.command && (
        <p class="command">
          <code>{raw.command}</code> <Copy text={raw.command} label="Copy the command" />
        </p>
      )}
      <p class="sub">
        dedup {raw.version}. {count(summary.blocks, unit)}: {number(summary.compared)} compared, {number(summary.short)} under{" "}
        {raw.asked.min_tokens} words (those count only as a whole). Digest of what was read:{" "}
        <code>{raw.digest.slice(0, 12)}</code>.
      </p>
      {!raw.command && raw.settings.length > 0 && (
        <p class="sub">
          Settings that were changed:{" "}
          {raw.settings.map(([name, value], i) => (
            <>
              {i > 0 && ", "}
              <code>
                --{name.replace(/_/g, "-")} {Array.isArray(value) ? value.join(", ") : String(value)}
              </code>
            </>
          ))}
          .
        </p>
      )}
      <p class="sub">Likeness is measured, what it means is for you to judge: a text may stand {times(2)} on purpose.</p>
    </section>
  );
}
