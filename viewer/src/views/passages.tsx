import { useMemo } from "preact/hooks";
import { quotes } from "../apart";
import type { Data } from "../data";
import { isFurniture, parseHash } from "../filter";
import { useEvent } from "../keys";
import { Link, look } from "../parts";
import { useApp } from "../state";
import { VirtualList } from "../virtual";
import { count, likeness, number, shortId, times, VERDICTS } from "../words";
import { Card } from "./card";

const ROW = 126,
  QUOTED = 110;

/** All passages, the most wasteful first, and the chosen one. */
export function PassagesView() {
  const app = useApp(),
    { data, selection, route } = app;
  const groups = selection.groups,
    chosen = route.id;
  const at = useMemo(() => (chosen === null ? -1 : groups.indexOf(chosen)), [groups, chosen]);
  const move = (step: number) => {
    const now = parseHash(location.hash).id; // keys may come faster than the page is drawn
    const next = groups[Math.min(Math.max((now === null ? -1 : groups.indexOf(now)) + step, 0), groups.length - 1)];
    if (next !== undefined) app.go({ view: "passages", id: next });
  };
  useEvent("dedup-move", move);
  useEvent("dedup-open", () => {
    if (chosen === null) return move(1);
    const first = data.representative(chosen);
    app.go({ view: "page", id: data.raw.places.page[first], at: first });
  });
  const shown = chosen !== null && chosen < data.groups ? chosen : groups[0];
  const quoted = useMemo(() => quotes(data, groups), [groups]);
  const mixable = useMemo(() => {
    const those = groups.filter((g) => isFurniture(data, g, selection.places)).length;
    return those > 0 && those < groups.length;
  }, [groups]);
  return (
    <div class={`passages${chosen !== null ? " has-card" : ""}`}>
      <section class="passage-list" aria-labelledby="passages-title">
        <h1 id="passages-title">{title(app)}</h1>
        {mixable && (
          <label class="check">
            <input
              type="checkbox"
              checked={!route.filter.mixed}
              onChange={(event) => app.filter({ mixed: !event.currentTarget.checked })}
            />
            Template, menus and refrains last
          </label>
        )}
        {!groups.length && <p class="notice">No passage passes the filters.</p>}
        <VirtualList
          count={groups.length}
          height={ROW}
          label="Passages"
          focus={at >= 0 ? at : null}
          row={(i) => {
            const g = groups[i],
              kinds = verdictNames(app, g);
            return (
              <div
                role="listitem"
                key={g}
                class={`passage ${look(g)}${g === shown ? " chosen" : ""}`}
                style={{ height: `${ROW}px` }}
              >
                <Link to={{ view: "passages", id: g }} class="passage-link">
                  <span class="badge">{data.number(g)}</span>
                  <span class="passage-words">
                    <span class="quote" dir="auto">
                      {quoted(i, QUOTED)}
                    </span>
                    <span class="sub">
                      {times(data.raw.groups.count[g])}, {count(data.raw.groups.tokens[g], "word")}, {likeness(data, g)}
                    </span>
                    {(kinds.length > 0 || data.pages > 1) && (
                      <span class="sub kinds">{[...kinds, ...firstPage(data, g)].join(" · ")}</span>
                    )}
                  </span>
                </Link>
              </div>
            );
          }}
        />
      </section>
      {shown !== undefined && (
        <section class="passage-card" aria-label="The chosen passage">
          <p class="back">
            <Link to={{ view: "passages" }}>All passages</Link>
          </p>
          <Card key={shown} group={shown} other={route.at} />
        </section>
      )}
    </div>
  );
}

/** The page on which a passage is named first, where there are several pages. */
function firstPage(data: Data, g: number): string[] {
  const page = data.raw.places.page[data.representative(g)];
  return data.pages > 1 ? [data.called(page)] : [];
}

function title(app: ReturnType<typeof useApp>): string {
  const { data, selection } = app,
    { filter } = app.route;
  if (filter.on && filter.and) return `What ${shortId(filter.on, 50)} and ${shortId(filter.and, 50)} share`;
  const n = selection.groups.length,
    parts = data.countParts(selection.groups);
  if (n === data.groups && parts) return `${count(n - parts, "passage")}, and ${number(parts)} that are parts of them`;
  return n === data.groups ? count(n, "passage") : `${number(n)} of ${count(data.groups, "passage")}`;
}

function verdictNames(app: ReturnType<typeof useApp>, g: number): string[] {
  const { data } = app,
    names = new Set<string>();
  for (let o = data.first[g]; o < data.first[g + 1] && names.size < 2; o++) {
    const kind = data.verdictKind(o);
    if (kind) names.add(VERDICTS[kind].name);
  }
  return [...names];
}
