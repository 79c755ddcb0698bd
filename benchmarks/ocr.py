"""Passages of scanned text, found again: ``python -m benchmarks.ocr [--data FOLDER] [--set KEY=VALUE ...]``.

Passages of the project's own documentation stand on two pages each, inside other text of it, both copies scanned badly: a
share of the characters is misread, lines are wrapped at other places and words hyphenated there. What is found is compared
with what was planted, with ``noise="ocr"`` and without. ``--data`` takes the texts from a folder instead (``*.txt``).
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dedup

ROOT = Path(__file__).parents[1]
SHARES = 0.0, 0.01, 0.03, 0.05, 0.10
PASSAGE, AROUND = (30, 110), (30, 80)  # words
LINE = 62  # characters
HYPHENATED = 0.3  # of the lines whose last word can be
CONFUSED = [("rn", "m"), ("m", "rn"), ("l", "1"), ("1", "l"), ("e", "c"), ("c", "e"), ("h", "b"), ("b", "h"), ("i", "l"),
            ("o", "0"), ("0", "o"), ("u", "n"), ("n", "u"), ("s", "5"), ("t", "f"), ("f", "t"), ("a", "o"), ("cl", "d"),
            ("d", "cl"), ("w", "vv"), ("li", "h"), ("in", "m"), ("g", "q"), ("y", "v"), ("I", "l"), ("S", "8"), ("B", "8")]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
HAN = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


class Case(NamedTuple):
    """A planted passage: its pages, and where it stands in each one."""

    pages: tuple[str, str]
    spans: tuple[tuple[int, int], tuple[int, int]]


def documentation() -> list[str]:
    """The project's own pages as plain text, without code and tables."""
    texts = []
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]):
        text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
        text = "\n".join(line for line in text.splitlines() if not line.startswith(("|", "#", "    ")))
        texts.append(" ".join(re.sub(r"[`*\[\]()|]", "", text).split()))
    return texts


def misread(text: str, share: float, rnd: random.Random) -> str:
    """A text of which a share of the characters was misread: confused, lost, doubled; blanks lost and put in."""
    out, at = [], 0
    while at < len(text):
        if rnd.random() >= share:
            out.append(text[at])
            at += 1
            continue
        kind = rnd.random()
        fits = [pair for pair in CONFUSED if text.startswith(pair[0], at)]
        if kind < 0.6 and fits:
            seen, read = rnd.choice(fits)
            out.append(read)
            at += len(seen)
        elif kind < 0.75:
            out.append(chr(0x4e00 + rnd.randrange(3000)) if HAN.match(text[at]) else rnd.choice(LETTERS))
            at += 1
        elif kind < 0.85:
            at += 1
        elif kind < 0.92:
            out.append(text[at] + rnd.choice(" .,'") if rnd.random() < 0.5 else text[at] * 2)
            at += 1
        else:
            blank = text.find(" ", at, at + 8)
            if blank >= 0:  # words run together
                out.append(text[at:blank])
                at = blank + 1
            else:
                out.append(text[at] + " ")
                at += 1
    return "".join(out)


def wrapped(words: list[str], rnd: random.Random) -> str:
    """Words in lines of about one width, some hyphenated at its end."""
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) < LINE:
            line = f"{line} {word}" if line else word
            continue
        room = LINE - len(line) - 2
        if word.isalpha() and 2 < room < len(word) - 2 and rnd.random() < HYPHENATED / 0.5:
            lines.append(f"{line} {word[:room]}-")
            line = word[room:]
        else:
            lines.append(line)
            line = word
    return "\n".join([*lines, line])


def scanned_pages(texts: list[str], share: float, rnd: random.Random) -> tuple[dict[str, str], list[Case]]:
    """Pages and what was planted in them; no stretch of the texts is used twice but for the passages."""
    whole = " ".join(texts)
    blank = "" if 3 * len(HAN.findall(whole)) > len(whole) else " "  # in scripts without spaces a character is half a word
    words = whole.split() if blank else [*"".join(whole.split())]
    at, pages, cases = 0, dict[str, str](), list[Case]()
    most = (4 * AROUND[1] + PASSAGE[1]) * (1 if blank else 2)

    def take(bounds: tuple[int, int]) -> list[str]:
        nonlocal at
        count = rnd.randint(*bounds) * (1 if blank else 2)
        at += count
        return words[at - count:at]
    while at + most < len(words):
        passage = take(PASSAGE)
        names, spans = [], []
        for _ in range(2):
            parts = [misread(blank.join(part), share, rnd) for part in (take(AROUND), passage, take(AROUND))]
            if blank:
                parts = [wrapped(part.split(), rnd) for part in parts]
            text = "\n".join(parts)
            start = len(parts[0]) + 1
            names.append(f"p{len(pages):04}")
            spans.append((start, start + len(parts[1])))
            pages[names[-1]] = text
        cases.append(Case((names[0], names[1]), (spans[0], spans[1])))
    return pages, cases


class Score(NamedTuple):
    recall: float
    precision: float
    granularity: float
    found: int
    cases: int
    seconds: float


def score(pages: dict[str, str], cases: list[Case], settings: dict[str, Any]) -> Score:
    """Recall and precision over the characters of both sides; pieces in which a found passage is told."""
    begun = time.process_time()
    report = dedup.scan([{"id": name, "text": text} for name, text in pages.items()], threads=1, **settings)
    pairs = list(report.pairs())
    seconds = time.process_time() - begun
    of_pages = {case.pages: case for case in cases}
    covered, pieces = defaultdict[tuple[str, str, int], set[int]](set), defaultdict[tuple[str, str], int](int)
    true = told = 0
    for pair in pairs:
        case = of_pages.get((pair.a.page, pair.b.page))
        hit = case is not None and all(side.start < end and start < side.end
                                       for side, (start, end) in zip((pair.a, pair.b), case.spans, strict=True))
        for n, side in enumerate((pair.a, pair.b)):
            told += side.end - side.start
            if hit and case is not None:
                start, end = case.spans[n]
                inside = range(max(start, side.start), min(end, side.end))
                true += len(inside)
                covered[*case.pages, n].update(inside)
        if hit and case is not None:
            pieces[case.pages] += 1
    planted = sum(end - start for case in cases for start, end in case.spans)
    return Score(sum(map(len, covered.values())) / max(planted, 1), true / max(told, 1),
                 sum(pieces.values()) / max(len(pieces), 1), len(pieces), len(cases), seconds)


def rows(texts: list[str], settings: dict[str, Any], shares: tuple[float, ...],
         seeds: int) -> Iterator[tuple[str, float, Score]]:
    for share in shares:
        made = [scanned_pages(texts, share, random.Random(seed)) for seed in range(seeds)]
        for name, noise in (("without", None), ("ocr", "ocr")):
            all_scores = [score(pages, cases, settings | {"noise": noise}) for pages, cases in made]
            mean = [sum(column) / seeds for column in zip(*all_scores, strict=True)]
            yield name, share, Score(*mean[:3], sum(s.found for s in all_scores), sum(s.cases for s in all_scores), mean[5])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ocr", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of texts; without it, the project's documentation")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of scan")
    parser.add_argument("--shares", type=float, nargs="*", default=SHARES, help="of the characters that are misread")
    parser.add_argument("--seeds", type=int, default=3, help="how often noise is made anew")
    told = parser.parse_args(arguments)
    texts = [path.read_text(encoding="utf-8") for path in sorted(told.data.glob("*.txt"))] if told.data else documentation()
    settings = dict(pair.split("=", 1) for pair in told.set)
    for name, share, s in rows(texts, settings, tuple(told.shares), told.seeds):
        print(f"{share:5.0%}  {name:8} recall {s.recall:.3f}  precision {s.precision:.3f}  granularity {s.granularity:.2f}  "
              f"found {s.found} of {s.cases}  {s.seconds:.2f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
