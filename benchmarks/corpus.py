"""A corpus of JSON lines with planted copies, made from a seed: ``python -m benchmarks.corpus --size 100MB -o FILE``.

Pages have log-normal lengths (about 600 words), paragraphs of 20 to 120 words, one a line. Words follow Zipf's law over
50,000 invented forms behind the function words of English; every other draw is a collocation of two to four words, so
that unrelated paragraphs share some shingles, as real ones do. Beside the corpus lies its truth, one JSON object
a planted copy:

``{"kind", "a", "a_start", "a_end", "b", "b_start", "b_end", "edits", "jaccard", "shingle_size", "borders"}``

`a` is the earlier place. Offsets are half-open code points of the record's text. `borders` counts the paragraph
ends inside the span. Kinds:

========== ===========================================================================================
copy        a whole page again (exact)
append      a whole page again with one word more
near-page   a whole page again with edited words; `jaccard` of its word 5-grams
block       a paragraph again on another page (exact)
near-block  a paragraph again with edited words; `jaccard` of its word 2-grams
span        words out of a paragraph, or across the border of two, again inside a paragraph (exact)
repeat      one to four paragraphs again on the same page (exact)
boilerplate a paragraph of the site again; `a` is the first page that has it (exact)
========== ===========================================================================================

The same seed gives the same bytes; a smaller corpus is the beginning of a larger one.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

VERSION = 1  # raise when the bytes made from a seed change
EXACT = frozenset({"copy", "block", "span", "repeat", "boilerplate"})
PAGES_A_BATCH = 1024
POOL = 4096  # pages that later ones may copy from
SITES, COMMON = 200, 20  # boilerplate paragraphs: one a site, and some that any site may show
TABLE_BITS = 22

FUNCTION_WORDS = """
the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one
you were all her she there would their we him been has when who will no more if out so up said what its about than
into them can only other time new some could these two may first then do any like my now over such our man me even
most made after also did many before must through years where much your way down should because each just those people
how too little state good very make world still see own work long here get both between being under never day same
another know while last might us great old year off come since go against came right used three
""".split()  # noqa: SIM905
ONSETS = "b br c ch cl d dr f fl g gr h j k l m n p pl pr qu r s sk sm st t th tr v w".split()  # noqa: SIM905
VOWELS = "a a a e e e e i i i o o o u u ai ea ee ia io oa ou é ö".split()  # noqa: SIM905
CODAS = "- - - - n r s t l m d nd st rt ng ll x".split()  # noqa: SIM905
ENDINGS = "- - - - - ing ed er ly s es tion ment ness al ous able ity".split()  # noqa: SIM905

# How a word stands in the text; each form ends in one separator. 4 ends a paragraph.
STYLES = 6
PLAIN, COMMA, STOP, CAPITAL, LAST, QUOTED = range(STYLES)


class Planted(NamedTuple):
    """One planted copy: `a` and `b` name pages, offsets are half-open code points of their texts."""

    kind: str
    a: str
    a_start: int
    a_end: int
    b: str
    b_start: int
    b_end: int
    edits: int
    jaccard: float
    shingle_size: int
    borders: int


class _Page(NamedTuple):
    name: str
    forms: np.ndarray  # one form (word * STYLES + style) a word
    ends: np.ndarray  # one end a paragraph, in words


class Words:
    """The invented language of a seed: word forms, how often they are drawn, and how they are written."""

    def __init__(self, seed: int = 0, count: int = 50_000) -> None:
        rng = np.random.default_rng([seed, 1])
        words = _invent(rng, count)
        self.count = len(words)
        # One style after the other, so that the plain forms lie together in memory: a third faster to join.
        ways = ["{} ", "{}, ", "{}. ", "{} ", "{}.\n", '"{}" ']
        capitals = [word.capitalize() for word in words]
        by_style = [[way.format(word) for word in (capitals if style == CAPITAL else words)]
                    for style, way in enumerate(ways)]
        self.length = np.array([list(map(len, forms)) for forms in by_style]).T.ravel()
        by_style[LAST] = [form.replace("\n", "\\n") for form in by_style[LAST]]
        by_style[QUOTED] = [form.replace('"', '\\"') for form in by_style[QUOTED]]
        self.written = [form for forms in zip(*by_style, strict=True) for form in forms]
        self._units, chances = _units(rng, self.count)
        self._table = _table(chances)

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """`count` words of running text, as numbers."""
        parts, have = [], 0
        while have < count:
            draws = self._table[rng.integers(0, 1 << TABLE_BITS, int((count - have) * 0.6) + 64)]
            words = self._units[draws].ravel()
            parts.append(words[words >= 0])
            have += len(parts[-1])
        return np.concatenate(parts)[:count]

    def offsets(self, forms: np.ndarray) -> np.ndarray:
        """Where each word begins in the text, and where a word behind the last one would."""
        return np.concatenate(([0], np.cumsum(self.length[forms])))

    def write(self, forms: np.ndarray) -> str:
        """The text of a page as it stands inside a JSON string; without its last separator."""
        text = "".join(map(self.written.__getitem__, forms.tolist()))
        return text[:-2] if text.endswith("\\n") else text[:-1]


@functools.cache
def words_of(seed: int) -> Words:
    """The language of a seed, made once."""
    return Words(seed)


def _invent(rng: np.random.Generator, count: int) -> list[str]:
    """Different words: the function words, numbers, and invented ones, the frequent ones short."""
    numbers = [str(n) for n in [*range(1, 100), *range(1900, 2030)]]
    seen = dict.fromkeys(FUNCTION_WORDS)
    while len(seen) < count:
        size = 2 * count
        parts = [_picks(rng, names, (3, size)) for names in (ONSETS, VOWELS, CODAS)]
        syllables = [[(o + v + c).replace("-", "") for o, v, c in zip(*place, strict=True)]
                     for place in zip(*parts, strict=True)]
        counts = rng.integers(1, 4, size).tolist()
        for i, (number, ending) in enumerate(zip(counts, _picks(rng, ENDINGS, (1, size))[0], strict=True)):
            word = "".join(syllables[s][i] for s in range(number)) + ending.strip("-")
            seen.setdefault(word)
    words = sorted(list(seen)[len(FUNCTION_WORDS):count], key=len)
    # Short words are frequent, but not strictly so.
    order = np.argsort(np.arange(len(words)) + rng.integers(0, len(words) // 2, len(words)), kind="stable")
    words = [words[i] for i in order.tolist()]
    for place, number in zip(range(200, len(words), 197), numbers, strict=False):
        words[place] = number
    return [*FUNCTION_WORDS, *words]


def _picks(rng: np.random.Generator, parts: list[str], shape: tuple[int, int]) -> list[list[str]]:
    return [[parts[i] for i in row] for row in rng.integers(0, len(parts), shape).tolist()]


def _units(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """What is drawn: single words and collocations, one row each (padded by -1), with their chances."""
    singles = np.full((count, 4), -1, np.int32)
    singles[:, 0] = np.arange(count)
    phrases = np.full((8_000, 4), -1, np.int32)
    sizes = rng.choice([2, 3, 4], len(phrases), p=[0.6, 0.3, 0.1])
    functions = len(FUNCTION_WORDS)
    for column in range(4):
        content = functions + (rng.random(len(phrases)) ** 3 * (count - functions)).astype(np.int32)
        function = (rng.random(len(phrases)) ** 2 * functions).astype(np.int32)
        words = np.where(rng.random(len(phrases)) < (0.7 if column % 2 == 0 else 0.3), function, content)
        phrases[:, column] = np.where(column < sizes, words, -1)
    chances = [1 / (np.arange(1, n + 1) + 2.7) for n in (count, len(phrases))]
    return np.concatenate((singles, phrases)), np.concatenate((chances[0] / chances[0].sum() * 0.5,
                                                               chances[1] / chances[1].sum() * 0.5))


def _table(chances: np.ndarray) -> np.ndarray:
    """A table that holds each unit as often as its chance says: one look-up a draw."""
    edges = np.floor(np.cumsum(chances) / chances.sum() * (1 << TABLE_BITS)).astype(np.int64)
    edges[-1] = 1 << TABLE_BITS
    return np.repeat(np.arange(len(chances), dtype=np.int32), np.diff(edges, prepend=0))


def _running_text(words: Words, rng: np.random.Generator, count: int, ends: np.ndarray) -> np.ndarray:
    """`count` words with sentences, commas and capitals; paragraphs end at `ends`."""
    style = np.zeros(count, np.int32)
    chance = rng.random(count)
    style[chance < 0.06] = COMMA
    style[chance > 0.997] = QUOTED
    stops = np.cumsum(rng.integers(6, 28, count // 6 + 2))
    stops = stops[stops < count - 1]
    style[stops] = STOP
    style[stops + 1] = CAPITAL
    style[ends[:-1]] = CAPITAL
    style[0] = CAPITAL
    style[ends - 1] = LAST
    return words.draw(rng, count) * STYLES + style


def _paragraph_ends(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.cumsum(rng.integers(20, 121, count))


def _page_cuts(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Paragraph ends of a batch (in words) and page ends (in paragraphs)."""
    targets = np.cumsum(np.clip(rng.lognormal(6.07, 0.65, PAGES_A_BATCH), 20, 20_000).astype(np.int64))
    ends = _paragraph_ends(rng, int(targets[-1]) // 65 + 4 * PAGES_A_BATCH)
    pages = np.searchsorted(ends, targets) + 1
    pages += np.arange(PAGES_A_BATCH)  # one paragraph a page at least
    return ends, pages[pages <= len(ends)]


def edit(words: Words, forms: np.ndarray, rate: float, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Substitute, insert or delete words, each place with chance `rate`; sentence borders stay. Gives the edits too."""
    places = np.flatnonzero((rng.random(len(forms)) < rate) & (forms % STYLES <= COMMA))
    if not len(places):
        return forms, 0
    action = rng.integers(0, 3, len(places))
    new = words.draw(rng, len(places))
    edited = forms.copy()
    swap = action == 0
    edited[places[swap]] = new[swap] * STYLES + forms[places[swap]] % STYLES
    counts = np.ones(len(forms), np.int64)
    counts[places[action == 1]] = 2
    counts[places[action == 2]] = 0
    edited = np.repeat(edited, counts)
    edited[(np.cumsum(counts) - 2)[places[action == 1]]] = new[action == 1] * STYLES
    return edited, len(places)


def jaccard(a: np.ndarray, b: np.ndarray, size: int) -> float:
    """Jaccard similarity of the sets of word `size`-grams of two texts, given as forms."""
    x, y = _grams(a, size), _grams(b, size)
    both = np.sort(np.concatenate((x, y)))
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return shared / (len(both) - shared)


def _grams(forms: np.ndarray, size: int) -> np.ndarray:
    """Different word `size`-grams, each as one 64-bit number."""
    words = (forms // STYLES).astype(np.uint64)
    count = max(len(words) - size + 1, 0)
    grams = np.zeros(count, np.uint64)
    for i in range(size):
        grams = grams * np.uint64(0x9E3779B97F4A7C15) + words[i:i + count]
    grams.sort()
    return grams[np.diff(grams, prepend=np.uint64(2**64 - 1)) != 0]


class Corpus:
    """The corpus of a seed: iterate to get batches of lines, each with the copies planted in it."""

    def __init__(self, seed: int = 0) -> None:
        self.words = words_of(seed)
        self.seed = seed
        rng = np.random.default_rng([seed, 2])
        self._boilerplate = []
        for _ in range(SITES + COMMON):
            count = int(rng.integers(15, 61))
            self._boilerplate.append(_running_text(self.words, rng, count, np.array([count])))
        self._first: dict[int, tuple[str, int, int]] = {}  # where a boilerplate paragraph stood first
        self._pool: list[_Page] = []
        self._made = 0

    def __iter__(self) -> Iterator[tuple[list[str], list[Planted]]]:
        for batch in range(2**31):
            rng = np.random.default_rng([self.seed, 3, batch])
            ends, pages = _page_cuts(rng)
            forms = _running_text(self.words, rng, int(ends[-1]), ends)
            lines, planted = [], []
            first = 0
            for last in pages.tolist():
                start = int(ends[first - 1]) if first else 0
                page = _Page(f"p{self._made:08d}", forms[start:ends[last - 1]], ends[first:last] - start)
                line, copies = self._make(page, rng)
                lines.append(line)
                planted += copies
                self._made += 1
                first = last
            yield lines, planted

    def _make(self, page: _Page, rng: np.random.Generator) -> tuple[str, list[Planted]]:
        """The line of a page, after planting what chance says."""
        chance, footer, common, where, site = rng.random(5).tolist()
        copies: list[Planted] = []
        number = int(site * site * SITES)
        fresh = True
        if self._pool and chance < 0.17:
            fresh = False
            page, copies = self._copy_page(page, chance, rng)
        elif self._pool and chance < 0.37:
            page, copies = self._plant(page, chance, rng)
        elif chance > 0.94 and len(page.ends) >= 2:
            page, copies = self._repeat(page, rng)
        if fresh:
            for kind in [number] * (footer < 0.5) + [SITES + int(where * COMMON)] * (common < 0.15):
                page, copy = self._footer(page, kind)
                copies += copy
            if len(page.ends) >= 2:
                kept = page._replace(forms=page.forms.copy())  # or the whole batch would live as long
                if len(self._pool) < POOL:
                    self._pool.append(kept)
                else:
                    self._pool[self._made % POOL] = kept
        url = f"https://site{number}.example/{page.name}"
        return f'{{"id": "{page.name}", "url": "{url}", "text": "{self.words.write(page.forms)}"}}\n', copies

    def _source(self, rng: np.random.Generator) -> _Page:
        return self._pool[int(rng.integers(0, len(self._pool)))]

    def _copy_page(self, page: _Page, chance: float, rng: np.random.Generator) -> tuple[_Page, list[Planted]]:
        source = self._source(rng)
        forms, edits, kind, alike = source.forms, 0, "copy", 1.0
        if chance < 0.02:
            kind, edits = "append", 1
            forms = np.append(forms, self.words.draw(rng, 1) * STYLES + LAST)
            forms[-2] += STOP - LAST
        elif chance < 0.13:
            kind = "near-page"
            wanted = rng.uniform(0.5, 1.0)
            forms, edits = edit(self.words, forms, 1 - (2 * wanted / (1 + wanted)) ** 0.2, rng)
        if kind != "copy":
            alike = jaccard(source.forms, forms, 5)
        copy = _Page(page.name, forms, np.array([len(forms)]))
        whole = self._place(source, 0, len(source.forms)), self._place(copy, 0, len(forms))
        return copy, [Planted(kind, *whole[0], *whole[1], edits, round(alike, 6), 5, len(source.ends) - 1)]

    def _plant(self, page: _Page, chance: float, rng: np.random.Generator) -> tuple[_Page, list[Planted]]:
        """Put one to three pieces of other pages into a page."""
        kind = "block" if chance < 0.23 else "near-block" if chance < 0.30 else "span"
        if kind == "span":
            places = rng.integers(1, len(page.forms) - 1, 3)
            places = places[~np.isin(places, page.ends)]
        else:
            places = page.ends[rng.integers(0, len(page.ends), 3)]
        pieces, truths, copied, at, moved = [], [], [], 0, 0
        for place in sorted(set(places.tolist()))[:int(rng.integers(1, 4))]:
            source = self._source(rng)
            start, end, borders = _cut(source, kind == "span", rng)
            piece, edits, alike = source.forms[start:end], 0, 1.0
            if kind == "near-block":
                wanted = rng.uniform(0.5, 1.0)
                piece, edits = edit(self.words, piece, (1 - (2 * wanted / (1 + wanted)) ** 0.5) / 0.9, rng)
                alike = jaccard(source.forms[start:end], piece, 2)
            pieces += [page.forms[at:place], piece]
            truths.append((source, start, end, place + moved, len(piece), edits, alike, borders))
            copied.append((place, len(piece)))
            at, moved = place, moved + len(piece)
        forms = np.concatenate([*pieces, page.forms[at:]])
        ends = page.ends.copy()
        for place, count in copied:
            ends[page.ends > place] += count
        if kind == "span":  # a border that came along cuts the paragraph
            ends = np.flatnonzero(forms % STYLES == LAST) + 1
        else:
            ends = np.union1d(ends, [t[3] for t in truths] + [t[3] + t[4] for t in truths])
        planted = _Page(page.name, forms, ends)
        return planted, [Planted(kind, *self._place(source, start, end), *self._place(planted, place, place + count),
                                 edits, round(alike, 6), 2, borders)
                         for source, start, end, place, count, edits, alike, borders in truths]

    def _repeat(self, page: _Page, rng: np.random.Generator) -> tuple[_Page, list[Planted]]:
        """Repeat one to four paragraphs of a page further down on it."""
        first = int(rng.integers(0, len(page.ends)))
        last = min(first + int(rng.integers(1, 5)), len(page.ends))
        place = int(page.ends[rng.integers(last - 1, len(page.ends))])
        start, end = int(page.ends[first - 1]) if first else 0, int(page.ends[last - 1])
        forms = np.concatenate((page.forms[:place], page.forms[start:end], page.forms[place:]))
        longer = _Page(page.name, forms, np.flatnonzero(forms % STYLES == LAST) + 1)
        copy = self._place(longer, place, place + end - start)
        return longer, [Planted("repeat", *self._place(longer, start, end), *copy, 0, 1.0, 2, last - first - 1)]

    def _footer(self, page: _Page, kind: int) -> tuple[_Page, list[Planted]]:
        piece = self._boilerplate[kind]
        forms = np.concatenate((page.forms, piece))
        longer = _Page(page.name, forms, np.append(page.ends, len(forms)))
        place = self._place(longer, len(page.forms), len(forms))
        first = self._first.setdefault(kind, place)
        return longer, [] if first is place else [Planted("boilerplate", *first, *place, 0, 1.0, 2, 0)]

    def _place(self, page: _Page, start: int, end: int) -> tuple[str, int, int]:
        """Words to code points; without the separator behind the last word."""
        offsets = self.words.offsets(page.forms[:end])
        return page.name, int(offsets[start]), int(offsets[end]) - 1


def _cut(page: _Page, loose: bool, rng: np.random.Generator) -> tuple[int, int, int]:
    """Start, end and inner borders of a paragraph, or of a loose span: half of these cross a border."""
    paragraph = int(rng.integers(0, len(page.ends)))
    start, end = int(page.ends[paragraph - 1]) if paragraph else 0, int(page.ends[paragraph])
    if not loose:
        return start, end, 0
    if rng.random() < 0.5 and paragraph + 1 < len(page.ends):
        after = int(page.ends[paragraph + 1])
        return (end - int(rng.integers(6, min(40, end - start) + 1)),
                end + int(rng.integers(6, min(40, after - end - 1) + 1)), 1)
    count = int(rng.integers(12, max(13, end - start - 2)))
    first = start + int(rng.integers(0, max(1, end - start - count)))
    return first, min(first + count, end - 1), 0


def parse_size(text: str) -> int:
    """Bytes of a size such as 100MB or 2GB (decimal).

    >>> parse_size("100MB")
    100000000
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kMG]?)B?\s*", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write 100MB or 2GB")
    return int(float(match[1]) * {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}[match[2]])


def write_corpus(file: Path, size: int, seed: int = 0, truth: Path | None = None) -> dict[str, int]:
    """Write a corpus of at least `size` bytes and its truth; gives pages, bytes and planted copies by kind."""
    counts: dict[str, int] = {}
    pages = written = 0
    truth = truth or truth_of(file)
    with file.open("wb") as out, truth.open("w", encoding="utf-8") as truths:
        for lines, planted in Corpus(seed):
            kept = []
            for line in lines:
                if written >= size:
                    break
                kept.append(line.encode())
                written += len(kept[-1])
            pages += len(kept)
            out.write(b"".join(kept))
            for copy in planted:
                if int(copy.b[1:]) < pages:
                    truths.write(json.dumps(copy._asdict()) + "\n")
                    counts[copy.kind] = counts.get(copy.kind, 0) + 1
            if written >= size:
                return {"pages": pages, "bytes": written, **dict(sorted(counts.items()))}
    raise AssertionError("unreachable")


def truth_of(file: Path) -> Path:
    """Where the truth of a corpus lies."""
    return file.with_name(file.name + ".truth")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=parse_size, default=parse_size("100MB"), help="bytes: 20MB, 100MB, 2GB")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--truth", type=Path, help="where the truth goes; default: FILE.truth")
    arguments = parser.parse_args()
    began = time.perf_counter()
    made = write_corpus(arguments.output, arguments.size, arguments.seed, arguments.truth)
    seconds = time.perf_counter() - began
    print(f"{json.dumps(made)} {seconds:.1f} s, {made['bytes'] / seconds / 1e6:.0f} MB/s")


if __name__ == "__main__":
    main()
