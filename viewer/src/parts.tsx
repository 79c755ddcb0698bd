/** Small parts that several views use. */

import { useState } from "preact/hooks";
import type { Shares } from "./figures";
import { useApp } from "./state";
import { percent } from "./words";

/** Colour and pattern of a passage: eight colours, four patterns, so that neighbours differ in both and 32 in one of them. */
export const look = (group: number): string => `look look-${group % 8} edge-${(group + (group >> 3)) % 4}`;

export function Link({
  to,
  children,
  class: name,
  label,
}: {
  to: Parameters<ReturnType<typeof useApp>["href"]>[0];
  children: preact.ComponentChildren;
  class?: string;
  label?: string;
}) {
  const app = useApp();
  return (
    <a href={app.href(to)} class={name} aria-label={label}>
      {children}
    </a>
  );
}

export const USES = [
  ["within", "again on the same page"],
  ["across", "on other pages too"],
  ["template", "template, menus, refrains"],
] as const;

/** A stacked bar of shares; the figures stand beside it in words. */
export function ShareBar({ shares, label }: { shares: Shares; label: string }) {
  const of = (share: number) => `${(Math.min(share, 1) * 100).toFixed(2)}%`;
  return (
    <span class="bar" role="img" aria-label={label}>
      {USES.map(([use]) => shares[use] > 0 && <span key={use} class={`bar-${use}`} style={{ width: of(shares[use]) }} />)}
    </span>
  );
}

export function shareWords(shares: Shares): string {
  const parts = USES.filter(([use]) => shares[use] > 0).map(([use, words]) => `${percent(shares[use])} ${words}`);
  return parts.join(", ") || "nothing repeated";
}

export function Copy({ text, label, name = "Copy", title }: { text: string; label: string; name?: string; title?: string }) {
  const app = useApp(),
    [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea"); // files may not use the clipboard everywhere
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    setDone(true);
    app.announce("Copied");
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button type="button" class="quiet copy" onClick={copy} aria-label={label} title={title}>
      {done ? "Copied" : name}
    </button>
  );
}

const SHOWN = 4000,
  HEAD = 1200,
  TAIL = 400;

/** Foreign text: never more of one piece than a person would read at once. */
export function Long({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  if (open || text.length <= SHOWN) return <>{text}</>;
  const rest = text.length - HEAD - TAIL;
  return (
    <>
      {text.slice(0, HEAD)}
      <button type="button" class="more" onClick={() => setOpen(true)}>
        … {rest.toLocaleString("en-US")} more characters …
      </button>
      {text.slice(-TAIL)}
    </>
  );
}
