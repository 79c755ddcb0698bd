import { useEffect, useRef, useState } from "preact/hooks";
import type { Kind, VerdictKind } from "./data";
import { EVERYTHING, type Filter } from "./filter";
import { useApp } from "./state";
import { percent, VERDICTS } from "./words";

const KINDS: [Kind, string][] = [
  ["exact", "Word for word"],
  ["near", "Edited"],
  ["contained", "Inside a longer text"],
];

/** Search and filters; what is set stands in the address. */
export function FilterBar() {
  const app = useApp(),
    { filter } = app.route,
    box = useRef<HTMLDetailsElement>(null);
  const set =
    <K extends keyof Filter>(key: K) =>
    (value: Filter[K]) =>
      app.filter({ [key]: value });
  const several = app.data.pages > 1;
  const active = (Object.keys(EVERYTHING) as (keyof Filter)[]).filter(
    (key) => key !== "q" && key !== "mixed" && filter[key] !== EVERYTHING[key],
  );
  return (
    <search class="filters">
      <Search />
      <details ref={box} class="filter-box">
        <summary>Filter{active.length > 0 && <span class="pill">{active.length}</span>}</summary>
        <div class="filter-grid">
          <Choice label="Likeness" value={filter.kind} options={KINDS} onChange={set("kind")} />
          <Choice
            label="What it amounts to"
            value={filter.verdict}
            onChange={set("verdict")}
            options={(Object.keys(VERDICTS) as VerdictKind[]).map((kind) => [kind, VERDICTS[kind].name])}
          />
          {several && (
            <Choice
              label="Where"
              value={filter.where}
              onChange={set("where")}
              options={[
                ["within", "Twice on one page"],
                ["across", "On several pages"],
              ]}
            />
          )}
          <label>
            Words, at least
            <input
              type="number"
              min={0}
              step={5}
              value={filter.words || ""}
              placeholder="any"
              onInput={(event) => set("words")(Math.max(Number(event.currentTarget.value) || 0, 0))}
            />
          </label>
          <label>
            Alike, at least <output>{filter.similarity ? percent(filter.similarity) : "any"}</output>
            <input
              type="range"
              min={0}
              max={1}
              step={0.01}
              value={filter.similarity}
              onInput={(event) => set("similarity")(Number(event.currentTarget.value))}
            />
          </label>
          {several && (
            <>
              <Name label="On page or folder/" value={filter.on} onChange={set("on")} />
              <Name label="and on" value={filter.and} onChange={set("and")} />
            </>
          )}
          <label class="check">
            <input
              type="checkbox"
              checked={filter.hideTemplate}
              onChange={(event) => set("hideTemplate")(event.currentTarget.checked)}
            />
            Hide template, menus and refrains
          </label>
        </div>
      </details>
    </search>
  );
}

function Search() {
  const app = useApp(),
    input = useRef<HTMLInputElement>(null),
    [text, setText] = useState(app.route.filter.q);
  useEffect(() => {
    if (document.activeElement !== input.current) setText(app.route.filter.q);
  }, [app.route.filter.q]);
  useEffect(() => {
    if (text === app.route.filter.q) return;
    const wait = setTimeout(() => app.filter({ q: text }), 150);
    return () => clearTimeout(wait);
  }, [text]);
  return (
    <input
      id="search"
      ref={input}
      type="search"
      value={text}
      placeholder="Search  ( / )"
      aria-label="Search passages and pages"
      onInput={(event) => setText(event.currentTarget.value)}
    />
  );
}

function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T | "";
  options: [T, string][];
  onChange: (value: T | "") => void;
}) {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as T | "")}>
        <option value="">All</option>
        {options.map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Name({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <label>
      {label}
      <input
        type="text"
        value={value}
        placeholder="any"
        dir="auto"
        onChange={(event) => onChange(event.currentTarget.value.trim())}
      />
    </label>
  );
}
