/** Light or dark: the system's wish, or the reader's. */

const SYSTEM = "(prefers-color-scheme: dark)";

export const systemIsDark = (): boolean => matchMedia(SYSTEM).matches;

/** What is shown now. */
export function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : systemIsDark();
}

/** Show one of the two: the style sheet has its dark colours once, under a condition, and that is what is changed. */
export function setDark(dark: boolean): void {
  for (const sheet of Array.from(document.styleSheets)) {
    for (const rule of Array.from(sheet.cssRules)) {
      if (isDarkRule(rule)) rule.media.mediaText = dark ? "screen" : "not all";
    }
  }
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

const found = new WeakSet<CSSRule>();

function isDarkRule(rule: CSSRule): rule is CSSMediaRule {
  if (rule instanceof CSSMediaRule && rule.media.mediaText.includes("prefers-color-scheme")) found.add(rule);
  return found.has(rule);
}

/** Hear of each change. */
export function onTheme(hear: () => void): () => void {
  const media = matchMedia(SYSTEM),
    watch = new MutationObserver(hear);
  media.addEventListener("change", hear);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => {
    media.removeEventListener("change", hear);
    watch.disconnect();
  };
}
