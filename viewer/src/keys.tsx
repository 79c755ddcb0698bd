import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { App } from "./state";
import { VERDICTS } from "./words";

const KEYS: [string, string][] = [
  ["/", "search"],
  ["j  k", "next, previous row, passage or page"],
  ["n  p", "next, previous repeated passage on the page"],
  ["Enter", "open what is chosen"],
  ["Esc", "leave the search; back to the list"],
  ["1 to 5", "the parts of the report"],
  ["?", "this help"],
];

/** Keys that work everywhere; lists hear `dedup-move` and `dedup-open`, a page `dedup-jump`. */
export function useKeys(app: App, help: () => void): void {
  const now = useRef(app);
  now.current = app;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const on = event.target as HTMLElement,
        typing = /^(INPUT|SELECT|TEXTAREA)$/.test(on.tagName);
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (event.key === "Escape" && typing) return on.blur();
      if (typing) return;
      if (!handle(event.key, now.current, help, on)) return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

function handle(key: string, app: App, help: () => void, on: HTMLElement): boolean {
  const send = (name: string, detail: number) => dispatchEvent(new CustomEvent(name, { detail }));
  switch (key) {
    case "/":
      document.getElementById("search")?.focus();
      return true;
    case "?":
      help();
      return true;
    case "j":
      send("dedup-move", 1);
      return true;
    case "k":
      send("dedup-move", -1);
      return true;
    case "n":
      send("dedup-jump", 1);
      return true;
    case "p":
      send("dedup-jump", -1);
      return true;
    case "Enter":
      return /^(A|BUTTON|SUMMARY)$/.test(on.tagName) ? false : (send("dedup-open", 0), true);
    case "Escape":
      if (app.route.view === "passages" && app.route.id !== null) app.go({ view: "passages" });
      else if (app.route.view === "page" && app.data.pages > 1) app.go({ view: "pages" });
      else return false;
      return true;
  }
  if (/^[1-5]$/.test(key)) {
    const link = document.querySelectorAll<HTMLAnchorElement>("header nav a")[Number(key) - 1];
    link?.click();
    return Boolean(link);
  }
  return false;
}

/** Hear one of the events that keys send. */
export function useEvent(name: string, hear: (detail: number) => void): void {
  const now = useRef(hear);
  now.current = hear;
  useEffect(() => {
    const listen = (event: Event) => now.current((event as CustomEvent<number>).detail);
    addEventListener(name, listen);
    return () => removeEventListener(name, listen);
  }, [name]);
}

export function Help({ onClose }: { onClose: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} class="help" onClose={onClose} aria-labelledby="help-title">
      <div class="help-head">
        <h2 id="help-title">Keys</h2>
        <button type="button" onClick={() => box.current?.close()}>
          Close
        </button>
      </div>
      <dl class="keys">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h2>Words</h2>
      <dl class="terms">
        <div>
          <dt>Passage</dt>
          <dd>a text that stands in two places or more</dd>
        </div>
        <div>
          <dt>Alike</dt>
          <dd>
            share of letters that both texts have in the same order (of whole pages: of the 5-word runs that both have). It is
            no verdict: look at both texts.
          </dd>
        </div>
        {Object.values(VERDICTS).map(({ name, plain }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{plain}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
