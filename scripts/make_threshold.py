"""Write the pictures and the table of docs/threshold.md, from a made corpus: ``python scripts/make_threshold.py``.

The corpus: pages of about 300 invented words; of some an edited copy, of others a page that shares a part with them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "threshold.md"
PICTURES = ROOT / "docs" / "pictures"
BEGIN, END = "<!-- made by scripts/make_threshold.py -->", "<!-- end of what is made -->"
SEED, PAIRS = 7, 150  # pairs of each kind
RATES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)  # of words edited
SHARED = (0.25, 0.5)  # of the words that another page has too, which is no copy of it
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(2, 20))
COLOURS = ("#2a6fb0", "#c2571a", "#3d8b40", "#8a4fa3", "#6b6b6b")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 320, 56, 16, 150, 44


class Measured(NamedTuple):
    """What the exact join says of the corpus."""

    kinds: list[str]  # of each planted pair: the share edited, or "shares ..."
    jaccard: np.ndarray  # of each planted pair, as reported; 0 where it is not
    others: np.ndarray  # of all other pairs that are reported
    lsh: dict[float, np.ndarray]  # which planted pairs a scan with this threshold reports
    blocks: np.ndarray  # of each planted copy, jaccard of its word 2-grams


def measure() -> Measured:
    """Make the corpus, and scan it: exactly, and with the default search at three thresholds."""
    import dedup

    texts, planted, blocks = corpus()
    at = {pair: number for number, (pair, _) in enumerate(planted)}

    def found(**settings: Any) -> dict[tuple[int, int], float]:
        report = dedup.scan(texts, unit="page", **settings)
        numbers = {page.id: number for number, page in enumerate(report.pages)}
        return {tuple(sorted((numbers[p.a.page], numbers[p.b.page]))): p.jaccard  # type: ignore[misc]
                for p in report.pairs()}

    exact = found(threshold=0.1, exhaustive=True)
    lsh = {}
    for threshold in (0.5, 0.7, 0.8):
        there = found(threshold=threshold)
        lsh[threshold] = np.array([pair in there for pair, _ in planted])
    return Measured([kind for _, kind in planted], np.array([exact.get(pair, 0.0) for pair, _ in planted]),
                    np.array([value for pair, value in exact.items() if pair not in at]), lsh, blocks)


def corpus() -> tuple[list[str], list[tuple[tuple[int, int], str]], np.ndarray]:
    """Texts; pairs of them, with their kind; the jaccard of word 2-grams of each."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from benchmarks.corpus import Words, edit, jaccard

    rng = np.random.default_rng(SEED)
    words = Words(SEED)
    texts: list[str] = []
    planted, two = [], []
    for kind in (*RATES, *(f"shares {share:.0%}" for share in SHARED)):
        for _ in range(PAIRS):
            a, b = page(words, rng), page(words, rng)
            if isinstance(kind, float):
                b = edit(words, a, kind, rng)[0]
            else:
                shared = int(len(a) * float(kind.split()[1].rstrip("%")) / 100)
                b = np.concatenate((a[:shared], b[shared:]))
            planted.append(((len(texts), len(texts) + 1), f"{kind:.0%}" if isinstance(kind, float) else kind))
            two.append(jaccard(a, b, 2))
            texts += [json.loads(f'"{words.write(forms)}"') for forms in (a, b)]
    return texts, planted, np.array(two)


def page(words: Any, rng: np.random.Generator) -> np.ndarray:
    """About 300 words in paragraphs."""
    from benchmarks.corpus import _running_text

    ends = np.cumsum(rng.integers(40, 81, 5))
    return _running_text(words, rng, int(ends[-1]), ends)


def shares(found: Measured, threshold: float) -> dict[str, float]:
    """Of each kind of planted pairs, the share at or above a threshold."""
    kinds = np.array(found.kinds)
    return {kind: float((found.jaccard[kinds == kind] >= threshold).mean()) for kind in dict.fromkeys(found.kinds)}


def precision(found: Measured, threshold: float) -> float:
    """Of the pairs at or above a threshold, the share that are edited copies and do not only share a part."""
    copies = np.array([not kind.startswith("shares") for kind in found.kinds])
    there = found.jaccard >= threshold
    return float((there & copies).sum() / max(there.sum() + (found.others >= threshold).sum(), 1))


def table(found: Measured) -> str:
    """Rows a kind: jaccard, and what is found at thresholds."""
    kinds, at = np.array(found.kinds), (0.3, 0.5, 0.7, 0.8, 0.9)
    rows = ["| pair | jaccard with 5 words | with 2 words | " + " | ".join(f"found at {t}" for t in at) + " |",
            "|---" * (3 + len(at)) + "|"]
    for kind in dict.fromkeys(found.kinds):
        mine = kinds == kind
        name = kind if kind.startswith("shares") else f"{kind} of the words edited"
        cells = [name, f"{np.median(found.jaccard[mine]):.2f}", f"{np.median(found.blocks[mine]):.2f}",
                 *(f"{shares(found, t)[kind]:.0%}" for t in at)]
        rows.append("| " + " | ".join(cells) + " |")
    rows.append("| precision: edited copies among what is found | | | "
                + " | ".join(f"{precision(found, t):.0%}" for t in at) + " |")
    unlike = len(found.others)
    missed = {t: int(((found.jaccard >= t) & ~found.lsh[t]).sum()) for t in found.lsh}
    of = {t: int((found.jaccard >= t).sum()) for t in found.lsh}
    told = ", ".join(f"{missed[t]} of {of[t]:,} at {t}" for t in found.lsh)
    return "\n".join([*rows, "", f"{PAIRS} pairs of each kind; the jaccard is the median of them. Of all other pairs "
                      f"{unlike} reach a jaccard of 0.1.",
                      f"Of pairs at or above the threshold the default search (LSH) misses {told}."])


# Pictures.


def curves(found: Measured) -> str:
    """The chance to become a candidate, and what was measured above the threshold."""
    from dedup.lsh import LSH

    x = np.linspace(0, 1, 101)
    parts, names = [], []
    for colour, threshold in zip(COLOURS, found.lsh, strict=False):
        lsh = LSH.for_threshold(threshold)
        parts.append(line(x, [lsh.candidate_probability(float(j)) for j in x], colour))
        parts.append(line([threshold] * 2, [0, 1], colour, "4 4"))
        for low in np.arange(round(threshold * 20), 20) / 20:
            there = (found.jaccard >= low) & (found.jaccard < low + 0.05)
            if there.sum() >= 20:
                parts.append(dot(low + 0.025, float(found.lsh[threshold][there].mean()), colour))
        names.append((colour, f"{threshold}: {lsh.bands} bands of {lsh.rows}"))
    return picture(parts, names, "jaccard of two pages", "chance to be compared",
                   "S-curves of the bands at three thresholds; dots are what a scan found of the pairs of that jaccard")


def recall(found: Measured) -> str:
    """What is found of each kind, by threshold."""
    parts, names = [], []
    picked = [kind for kind in dict.fromkeys(found.kinds) if kind in ("2%", "5%", "10%", "20%", "shares 50%")]
    for colour, kind in zip(COLOURS, picked, strict=True):
        parts.append(line(THRESHOLDS, [shares(found, t)[kind] for t in THRESHOLDS], colour))
        names.append((colour, kind if kind.startswith("shares") else f"{kind} edited"))
    parts.append(line(THRESHOLDS, [precision(found, t) for t in THRESHOLDS], "#111", "2 4"))
    names.append(("#111", "precision"))
    return picture(parts, names, "--threshold", "share found; precision",
                   "What is found of copies with some words edited, and of pages that share half, by threshold")


def histogram(found: Measured) -> str:
    """How many pairs of which jaccard: copies, and pages that share a part."""
    edges = np.linspace(0, 1, 41)
    share = np.array([kind.startswith("shares") for kind in found.kinds])
    there = found.jaccard > 0
    counts = [np.histogram(found.jaccard[mine & there], edges)[0] for mine in (~share, share)]
    most = max(int(one.max()) for one in counts)
    parts = [bars(edges, one / most, colour) for one, colour in zip(counts, COLOURS, strict=False)]
    names = [(COLOURS[0], "edited copies"), (COLOURS[1], "share a part")]
    return picture(parts, names, "jaccard of two pages", f"pairs (1 is {most}; none below 0.1)",
                   "Histogram of the jaccard of edited copies and of pages that share a part")


def picture(parts: Sequence[str], names: Sequence[tuple[str, str]], across: str, up: str, title: str) -> str:
    """A figure with axes from 0 to 1 and a legend."""
    grid = [f'<path d="M{px(0)} {py(v)}H{px(1)}M{px(v)} {py(0)}V{py(1)}" stroke="#ddd"/>' for v in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    ticks = [f'<text x="{px(v)}" y="{py(0) + 16}" text-anchor="middle">{v}</text>'
             f'<text x="{px(0) - 6}" y="{py(v) + 4}" text-anchor="end">{v}</text>' for v in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    legend = [f'<rect x="{px(1) + 12}" y="{TOP + 20 * n}" width="12" height="12" fill="{colour}"/>'
              f'<text x="{px(1) + 30}" y="{TOP + 20 * n + 10}">{name}</text>' for n, (colour, name) in enumerate(names)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="12" fill="#333"><title>{title}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *grid, *parts, *ticks, *legend,
        f'<text x="{(px(0) + px(1)) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{across}</text>',
        f'<text transform="translate(14 {(py(0) + py(1)) / 2}) rotate(-90)" text-anchor="middle">{up}</text>', "</svg>\n"])


def px(value: float) -> float:
    return round(float(LEFT + value * (WIDTH - LEFT - RIGHT)), 1)


def py(value: float) -> float:
    return round(float(HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM)), 1)


def line(x: Sequence[float] | np.ndarray, y: Sequence[float], colour: str, dash: str = "") -> str:
    points = " ".join(f"{px(a)},{py(b)}" for a, b in zip(x, y, strict=True))
    dashed = f' stroke-dasharray="{dash}" opacity=".5"' if dash else ""
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'


def dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{px(x)}" cy="{py(y)}" r="3.5" fill="{colour}"/>'


def bars(edges: np.ndarray, heights: np.ndarray, colour: str) -> str:
    d = "".join(f"M{px(a)} {py(0)}V{py(h)}H{px(b)}V{py(0)}Z"
                for a, b, h in zip(edges, edges[1:], heights, strict=False) if h)
    return f'<path d="{d}" fill="{colour}" opacity=".7"/>'


def made() -> dict[Path, str]:
    """Each file with its text."""
    found = measure()
    before, rest = FILE.read_text(encoding="utf-8").split(BEGIN)
    files = {PICTURES / f"threshold-{name}.svg": draw(found)
             for name, draw in (("curves", curves), ("recall", recall), ("histogram", histogram))}
    return files | {FILE: f"{before}{BEGIN}\n\n{table(found)}\n\n{END}{rest.split(END)[1]}"}


if __name__ == "__main__":
    for path, text in made().items():
        path.write_text(text, encoding="utf-8", newline="\n")
