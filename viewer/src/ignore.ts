/** Passages marked as ignored: kept where the browser may keep them, and downloaded as a list that dedup can read. */

import type { Data } from "./data";
import { oneLine } from "./words";

export const BASELINE = "dedup-baseline/1";

/** The list as a file: one passage a line, sorted, so that two of them can be merged line by line. */
export function baseline(data: Data, ignored: ReadonlySet<string>): string {
  const rows = new Map<string, string>();
  data.raw.groups.fingerprint.forEach((print, g) => {
    if (ignored.has(print) && !rows.has(print)) rows.set(print, oneLine(data.groupText(g), 80));
  });
  for (const print of ignored) if (!rows.has(print)) rows.set(print, "");
  const entries = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([fingerprint, text]) => JSON.stringify({ fingerprint, text, reason: "" }));
  return `{"format": "${BASELINE}", "passages": [\n${entries.join(",\n")}\n]}\n`;
}

export function load(digest: string): Set<string> {
  try {
    const kept = JSON.parse(localStorage.getItem(`dedup-ignored-${digest}`) ?? "[]") as unknown;
    return new Set(Array.isArray(kept) ? kept.filter((one): one is string => typeof one === "string") : []);
  } catch {
    return new Set();
  }
}

export function save(digest: string, ignored: ReadonlySet<string>): void {
  try {
    localStorage.setItem(`dedup-ignored-${digest}`, JSON.stringify([...ignored].sort()));
  } catch {
    // A browser may forbid it to files; the list is then kept until the report is closed.
  }
}

export function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
