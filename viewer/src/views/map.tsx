import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Heat, heat } from "../heat";
import { EVERYTHING } from "../filter";
import { Link } from "../parts";
import { useApp } from "../state";
import { isDark, onTheme } from "../theme";
import { count, number, percent, shortId } from "../words";

const LISTED = 100,
  STEPS = [0.05, 0.25, 0.5, 0.75, 1];

/** Page by page: what stands on which other page. Pages that share most lie beside each other. */
export function MapView() {
  const app = useApp(),
    { data, selection } = app;
  const found = useMemo(() => heat(data, selection), [data, selection]),
    n = found.units.length;
  const pairs = useMemo(() => strongest(found), [found]);
  if (n < 2)
    return (
      <section>
        <h1>Map</h1>
        <p class="notice">There are no two pages with the same passage among what is shown.</p>
      </section>
    );
  return (
    <section class="map" aria-labelledby="map-title">
      <h1 id="map-title">
        {found.grouped ? `${count(n, "folder")} and what they share` : `${count(n, "page")} and what they share`}
      </h1>
      <p class="sub">
        Each square says how much of the row's {found.grouped ? "folder" : "page"} stands on the column's too. Those that
        share most lie beside each other; templates, and passages on very many pages, are left out.
        {found.grouped && " There are many pages, so they are put together by folder or host."}
        {found.hidden > 0 && ` The ${number(n)} that share most are shown, ${number(found.hidden)} are not.`}
      </p>
      <Canvas found={found} />
      <details class="as-table">
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Of</th>
              <th scope="col" class="figure">
                share
              </th>
              <th scope="col">stands on</th>
            </tr>
          </thead>
          <tbody>
            {pairs.slice(0, LISTED).map(([i, j]) => (
              <tr key={`${i}-${j}`}>
                <td>
                  <bdi>{shortId(found.units[i].name, 60)}</bdi>
                </td>
                <td class="figure">{percent(found.share[i * n + j])}</td>
                <td>
                  <Link to={{ view: "passages", filter: pairFilter(found, i, j) }}>
                    <bdi>{shortId(found.units[j].name, 60)}</bdi>
                  </Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {pairs.length > LISTED && <p class="sub">and {number(pairs.length - LISTED)} more pairs</p>}
      </details>
    </section>
  );
}

function strongest(found: Heat): [number, number][] {
  const n = found.units.length,
    out: [number, number][] = [];
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (found.share[i * n + j] > 0) out.push([i, j]);
  return out.sort(([a, b], [c, d]) => found.share[c * n + d] - found.share[a * n + b]);
}

const pairFilter = (found: Heat, i: number, j: number) => ({
  ...EVERYTHING,
  on: found.units[i].name,
  and: found.units[j].name,
});

function Canvas({ found }: { found: Heat }) {
  const app = useApp(),
    canvas = useRef<HTMLCanvasElement>(null),
    box = useRef<HTMLDivElement>(null),
    n = found.units.length;
  const [over, setOver] = useState<[number, number] | null>(null),
    [room, setRoom] = useState(600),
    theme = useTheme();
  useEffect(() => {
    const watch = new ResizeObserver(() => setRoom(box.current?.clientWidth ?? 600));
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);
  const labelled = n <= 40,
    side = Math.min(room, 720),
    label = labelled ? Math.min(180, side * 0.32) : 0;
  const cell = Math.min((side - label) / n, 64),
    size = label + cell * n;
  useEffect(() => draw(canvas.current!, found, cell, label, size, over), [found, cell, label, size, over, theme]);
  const at = (event: MouseEvent): [number, number] | null => {
    const area = canvas.current!.getBoundingClientRect();
    const j = Math.floor((event.clientX - area.left - label) / cell),
      i = Math.floor((event.clientY - area.top) / cell);
    return i >= 0 && j >= 0 && i < n && j < n ? [i, j] : null;
  };
  const open = ([i, j]: [number, number]) => app.go({ view: "passages", filter: pairFilter(found, i, j) });
  const key = (event: KeyboardEvent) => {
    const [i, j] = over ?? [0, 0],
      step: Record<string, [number, number]> = {
        ArrowUp: [-1, 0],
        ArrowDown: [1, 0],
        ArrowLeft: [0, -1],
        ArrowRight: [0, 1],
      };
    if (event.key === "Enter" && over) open(over);
    else if (event.key in step) {
      const next: [number, number] = [
        Math.min(Math.max(i + step[event.key][0], 0), n - 1),
        Math.min(Math.max(j + step[event.key][1], 0), n - 1),
      ];
      setOver(next);
      app.announce(told(found, next));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={box} class="map-box">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label="Map of the pages; arrow keys move, Enter opens the pair. The table below says the same."
        onMouseMove={(event) => setOver(at(event))}
        onMouseLeave={() => setOver(null)}
        onKeyDown={key}
        onClick={(event) => {
          const pair = at(event);
          if (pair) open(pair);
        }}
      />
      <p class="map-told" dir="auto">
        {over ? told(found, over) : "Point at a square; click it for the passages."}
      </p>
      <p class="map-key" aria-hidden="true">
        {STEPS.map((step) => (
          <span key={step}>
            <i class={`heat-${STEPS.indexOf(step)}`} />
            up to {100 * step} %
          </span>
        ))}
      </p>
    </div>
  );
}

function told(found: Heat, [i, j]: [number, number]): string {
  const n = found.units.length,
    share = found.share[i * n + j],
    a = shortId(found.units[i].name, 60),
    b = shortId(found.units[j].name, 60);
  if (i === j) return share ? `${percent(share)} of ${a} stands there twice` : `${a}: nothing stands twice in it`;
  return share ? `${percent(share)} of ${a} stands on ${b} too` : `${a} and ${b} share nothing`;
}

function useTheme(): boolean {
  const [dark, setDark] = useState(isDark);
  useEffect(() => onTheme(() => setDark(isDark())), []);
  return dark;
}

function draw(
  canvas: HTMLCanvasElement,
  found: Heat,
  cell: number,
  label: number,
  size: number,
  over: [number, number] | null,
): void {
  const dpr = devicePixelRatio || 1,
    n = found.units.length,
    style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim(),
    height = cell * n;
  Object.assign(canvas, { width: Math.ceil(size * dpr), height: Math.ceil(height * dpr) });
  Object.assign(canvas.style, { width: `${size}px`, height: `${height}px` });
  const pen = canvas.getContext("2d")!,
    space = cell > 6 ? 1 : 0;
  pen.scale(dpr, dpr);
  const steps = STEPS.map((_, k) => colour(`--heat-${k}`)),
    empty = colour("--heat-none");
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const share = found.share[i * n + j];
      pen.fillStyle = share > 0 ? (steps[STEPS.findIndex((step) => share <= step + 1e-9)] ?? steps[4]) : empty;
      pen.fillRect(label + j * cell, i * cell, cell - space, cell - space);
    }
  if (label) {
    pen.fillStyle = colour("--text");
    pen.font = `12px ${style.getPropertyValue("font-family") || "sans-serif"}`;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    found.units.forEach((unit, i) => pen.fillText(fitted(pen, unit.name, label - 10), label - 8, (i + 0.5) * cell));
  }
  if (over) {
    pen.strokeStyle = colour("--text");
    pen.lineWidth = 2;
    pen.strokeRect(label + over[1] * cell, over[0] * cell, Math.max(cell - space, 3), Math.max(cell - space, 3));
  }
}

/** The end of a name that fits. */
function fitted(pen: CanvasRenderingContext2D, name: string, room: number): string {
  let text = shortId(name, 80);
  if (pen.measureText(text).width <= room) return text;
  while (text.length > 3 && pen.measureText("…" + text).width > room) text = text.slice(1);
  return "…" + text;
}
