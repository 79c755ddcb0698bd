import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { toldVerdicts } from "./amounts";
import type { Data } from "./data";
import { EVERYTHING, type Filter, formatHash, isEmpty, parseHash, type Route, select, type View } from "./filter";
import { FilterBar } from "./filterbar";
import { head } from "./figures";
import { download, baseline, load, save } from "./ignore";
import { Help, useKeys } from "./keys";
import { type App, Context } from "./state";
import { isDark, onTheme, setDark } from "./theme";
import { count, number } from "./words";
import { MapView } from "./views/map";
import { Overview } from "./views/overview";
import { PageView } from "./views/page";
import { PagesView } from "./views/pages";
import { PassagesView } from "./views/passages";
import { SureView } from "./views/sure";

const TABS: [View, string][] = [
  ["overview", "Overview"],
  ["pages", "Pages"],
  ["passages", "Passages"],
  ["map", "Map"],
  ["sure", "Edited copies"],
];

export function Root({ data }: { data: Data }) {
  const [route, setRoute] = useState<Route>(() => parseHash(location.hash));
  const [ignored, setIgnored] = useState<ReadonlySet<string>>(() => load(data.raw.digest));
  const [said, announce] = useState(""),
    [help, setHelp] = useState(false);

  useEffect(() => {
    const change = () => setRoute(parseHash(location.hash));
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);

  const everything = useMemo(() => select(data, { ...EVERYTHING, showIgnored: true }, new Set()), [data]);
  const filterText = JSON.stringify(route.filter);
  const selection = useMemo(() => select(data, route.filter, ignored), [data, filterText, ignored]);
  const told = useMemo(() => toldVerdicts(data, selection, route.filter), [selection]);
  const whole = useMemo(() => head(data, everything), [everything]);
  const shown = useMemo(() => (isEmpty(route.filter) && !ignored.size ? whole : head(data, selection)), [selection]);

  const target = useCallback((to: Partial<Route>): Route => {
    const now = parseHash(location.hash);
    return { view: to.view ?? now.view, id: to.id ?? null, at: to.at ?? null, filter: to.filter ?? now.filter };
  }, []);
  const app: App = {
    data,
    route,
    selection,
    told,
    head: shown,
    whole,
    ignored,
    announce,
    go: (to) => {
      location.hash = formatHash(target(to));
    },
    filter: (change: Partial<Filter>) => {
      const now = parseHash(location.hash);
      history.replaceState(null, "", formatHash({ ...now, filter: { ...now.filter, ...change } }));
      setRoute(parseHash(location.hash));
    },
    ignore: (print) => {
      const next = new Set(ignored);
      if (!next.delete(print)) next.add(print);
      save(data.raw.digest, next);
      setIgnored(next);
      announce(next.has(print) ? "Ignored" : "No longer ignored");
    },
    href: (to) => formatHash({ view: route.view, id: null, at: null, filter: route.filter, ...to }),
  };
  useKeys(app, () => setHelp(true));
  const single = data.pages === 1;
  useEffect(() => {
    if (route.at === null) scrollTo(0, 0);
  }, [route.view, route.view === "page" ? route.id : 0]);

  return (
    <Context.Provider value={app}>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("content")?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="top">
        <div class="top-row">
          <nav aria-label="Parts of the report">
            {TABS.filter(([view]) => !(single && (view === "pages" || view === "map"))).map(([view, name]) => (
              <a key={view} href={app.href({ view })} aria-current={isCurrent(route.view, view) ? "page" : undefined}>
                {name}
              </a>
            ))}
          </nav>
          <div class="tools">
            <ThemeSwitch />
            <button type="button" class="quiet" onClick={() => setHelp(true)} aria-label="Keys and words explained">
              ?
            </button>
          </div>
        </div>
        {data.groups > 0 && <FilterBar />}
      </header>
      <main id="content" tabIndex={-1}>
        <Notices app={app} />
        {route.view === "overview" && <Overview />}
        {route.view === "pages" && <PagesView />}
        {route.view === "page" && <PageView page={route.id ?? 0} />}
        {route.view === "passages" && <PassagesView />}
        {route.view === "map" && <MapView />}
        {route.view === "sure" && <SureView />}
      </main>
      <IgnoredBar app={app} />
      <p class="said" role="status">
        {said}
      </p>
      {help && <Help onClose={() => setHelp(false)} />}
    </Context.Provider>
  );
}

function Notices({ app }: { app: App }) {
  const { data, head: shown } = app,
    { all } = data.raw;
  const left = [
    all.groups > data.groups && `the ${number(data.groups)} largest of ${number(all.groups)} passages`,
    all.pages > data.pages && `${number(data.pages)} of ${number(all.pages)} pages`,
  ].filter(Boolean);
  return (
    <>
      {left.length > 0 && (
        <p class="notice">
          Shown: {left.join(", ")}. All of them stand in the JSON report: <code>-o report.json</code>.
        </p>
      )}
      {!isEmpty(app.route.filter) && (
        <p class="notice" role="status">
          Filtered: {count(shown.groups, "passage")} of {number(data.groups)}, on {count(shown.pages, "page")}.{" "}
          <button type="button" class="quiet" onClick={() => app.filter(EVERYTHING)}>
            Show everything
          </button>
        </p>
      )}
    </>
  );
}

function isCurrent(now: View, tab: View): boolean {
  return now === tab || (now === "page" && tab === "pages");
}

function IgnoredBar({ app }: { app: App }) {
  if (!app.ignored.size) return null;
  return (
    <aside class="ignored" aria-label="Ignored passages">
      <span>{count(app.ignored.size, "passage")} ignored</span>
      <button type="button" onClick={() => download("dedup-baseline.json", baseline(app.data, app.ignored))}>
        Download the list
      </button>
      <button
        type="button"
        class="quiet"
        aria-pressed={app.route.filter.showIgnored}
        onClick={() => app.filter({ showIgnored: !app.route.filter.showIgnored })}
      >
        {app.route.filter.showIgnored ? "Hide them" : "Show them"}
      </button>
    </aside>
  );
}

function ThemeSwitch() {
  const [dark, set] = useState(isDark);
  useEffect(() => onTheme(() => set(isDark())), []);
  return (
    <button type="button" class="quiet" onClick={() => setDark(!dark)}>
      {dark ? "Light" : "Dark"}
    </button>
  );
}
