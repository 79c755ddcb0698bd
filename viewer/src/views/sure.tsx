import { Fragment } from "preact";
import { useMemo } from "preact/hooks";
import { compared, excerpt, unified } from "../diff";
import { Link, look } from "../parts";
import { useApp } from "../state";
import { BINS, histogram, leastCertain, uncertain } from "../sure";
import { count, lines, number, oneLine, percent } from "../words";

const LISTED = 20,
  HEIGHT = 160,
  FEW = 5,
  LEAST_BINS = 8;

/** How alike the edited copies are, and the least alike of them: do they belong together? */
export function SureView() {
  const app = useApp(),
    { data, selection, route } = app;
  const places = useMemo(() => uncertain(data, selection), [data, selection]);
  const bins = useMemo(() => histogram(data, places), [data, places]);
  const least = useMemo(() => leastCertain(data, places, LISTED), [data, places]);
  return (
    <section class="sure" aria-labelledby="sure-title">
      <h1 id="sure-title">Edited copies, the least alike first</h1>
      <p class="lead">
        Copies that are equal word for word need no judgement. The others were linked because they are alike: look at the
        least alike, and if they do not belong together, show only what is more alike.
      </p>
      {!places.length ? (
        <p class="notice">All that is shown is word for word the same, or stands inside a longer text.</p>
      ) : (
        <>
          {places.length >= FEW && <Histogram bins={bins} least={route.filter.similarity} total={places.length} />}
          <label class="slide">
            Show only what is alike to at least <output>{percent(route.filter.similarity)}</output>
            <input
              type="range"
              min={0}
              max={1}
              step={0.01}
              value={route.filter.similarity}
              onInput={(event) => app.filter({ similarity: Number(event.currentTarget.value) })}
            />
          </label>
          <h2>The least alike</h2>
          <ol class="least">
            {least.map((o) => {
              const g = data.groupOf[o],
                first = data.representative(g);
              return (
                <li key={o} class={look(g)}>
                  <span class="figure">{percent(data.raw.places.similarity[o])}</span>
                  <div>
                    <Link to={{ view: "passages", id: g, at: o }}>
                      Passage {data.number(g)}: <bdi>{data.shortName(data.raw.places.page[first], 50)}</bdi>,{" "}
                      {lines(data, first)} and <bdi>{data.shortName(data.raw.places.page[o], 50)}</bdi>, {lines(data, o)}
                    </Link>
                    <Excerpt group={g} place={o} />
                  </div>
                </li>
              );
            })}
          </ol>
        </>
      )}
    </section>
  );
}

function Excerpt({ group, place }: { group: number; place: number }) {
  const { data } = useApp(),
    rows = compared(data, group, place);
  if (!rows || data.raw.places.size[place] > 50_000)
    return (
      <p class="quote" dir="auto">
        {oneLine(data.groupText(group), 200)}
      </p>
    );
  const row =
    rows.find((one) => one.a.some((p) => p.mark === "changed") || one.b.some((p) => p.mark === "changed")) ?? rows[0];
  const parts = row ? excerpt(unified(row)) : [];
  return (
    <p class="quote" dir="auto">
      {parts.map(({ mark, side, text }, i) => {
        const Tag = mark !== "changed" ? "span" : side === "b" ? "ins" : "del";
        return (
          <Fragment key={i}>
            <Tag>{text}</Tag>{" "}
          </Fragment>
        );
      })}
    </p>
  );
}

function Histogram({ bins, least, total }: { bins: number[]; least: number; total: number }) {
  const most = Math.max(...bins, 1),
    from = Math.min(Math.max(bins.findIndex((n) => n > 0) - 1, 0), BINS - LEAST_BINS),
    shown = bins.slice(from),
    width = 1000 / shown.length;
  const bin = (i: number) => `${Math.round((100 * (from + i)) / BINS)}–${Math.round((100 * (from + i + 1)) / BINS)} %`;
  return (
    <figure class="histogram">
      <svg
        viewBox={`0 0 1000 ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`How alike ${count(total, "edited copy", "edited copies")} are; the table below has the figures.`}
      >
        {shown.map(
          (n, i) =>
            n > 0 && (
              <rect
                key={i}
                x={i * width + 3}
                width={width - 6}
                y={HEIGHT - Math.max((n / most) * (HEIGHT - 6), 3)}
                height={HEIGHT}
              >
                <title>{`${bin(i)}: ${number(n)}`}</title>
              </rect>
            ),
        )}
        {least > from / BINS && (
          <line
            x1={((least * BINS - from) / shown.length) * 1000}
            x2={((least * BINS - from) / shown.length) * 1000}
            y1={0}
            y2={HEIGHT}
          />
        )}
      </svg>
      <figcaption>
        <span>{Math.round((100 * from) / BINS)} % alike</span>
        <span>{count(total, "edited copy", "edited copies")}</span>
        <span>100 %</span>
      </figcaption>
      <details class="as-table">
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Alike</th>
              <th scope="col" class="figure">
                Copies
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(
              (n, i) =>
                n > 0 && (
                  <tr key={i}>
                    <td>{bin(i)}</td>
                    <td class="figure">{number(n)}</td>
                  </tr>
                ),
            )}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
