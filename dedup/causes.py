"""Why many pages of a site repeat the same: the element that holds the copies, and the selector that leaves it out.

A copy is traced to the outermost elements that hold nothing else. Selectors made of their classes, ids and tags are
counted over some pages of the site, and the best are checked on all of them: what they drop must stand elsewhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import distinct_numbers, widths
from dedup.model import Cause, Layout, VerdictKind
from dedup.verdict_kinds import NAMES, NAVIGATION, RENDERED, TEMPLATE
from dedup.verdicts import Judgement

if TYPE_CHECKING:
    from dedup.corpus import Corpus

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SAMPLE = 48  # pages of a site that selectors are taken from
CANDIDATES, MOST_CAUSES = 12, 3  # selectors of a site that are checked; causes of a kind that are told
OWN_SHARE = 0.8  # of a copy's words in one element
LABELS = 3  # blocks at either end of a copy that belong to its element, and may stand elsewhere on their own
LEAST_HALVES = 16  # half tokens that an element of a template drops on a page
SHARED_SHARE = 0.9  # of what a selector drops of a page, in words that are template
NAMED_BY_TAG = frozenset({"header", "footer", "nav", "aside"})
PARTS = {"header": "header", "footer": "footer", "nav": "menu", "aside": "side column"}
QUOTED_BLOCKS = 60
QUOTE_STEP, MOST_QUOTED = 10, 300  # characters by which quotes that begin alike grow
# What the name of a second copy's element says it is for; "hidden-phone" is for everything else.
VERSIONS = {name: re.compile(rf"(?<!hidden)(?<!hide)(?<!no)(?<!not)(?:^|[.#_-])(?:{words})(?:$|[.#_-])", re.IGNORECASE) for
            name, words in (("the phone version", "mobile|phone|smartphone|handheld"), ("the tablet version", "tablet"),
                            ("the version for wide screens", "desktop"), ("the version to print", "print"))}
_PLAIN = re.compile(r"[A-Za-z_][\w-]*\Z", re.ASCII)
_ESCAPED = re.compile(r"([^\w-])", re.ASCII)


class Tree:
    """The elements of a page that hold blocks, in document order.

    Attributes:
        first: First block of the page, numbered through the collection.
        steps: The elements; see ``Layout.steps``.
    """

    def __init__(self, layout: Layout, first: int) -> None:
        self.layout, self.first = layout, first

    @cached_property
    def steps(self) -> list[str]:
        """Each element in one line."""
        return self.layout.steps.split("\n")

    @cached_property
    def spans(self) -> tuple[list[int], list[int]]:
        """First and last block of each element, counted in the page."""
        count = len(self.layout.parent)
        first, last = [len(self.layout.element)] * count, [-1] * count
        for block, element in enumerate(self.layout.element.tolist()):
            first[element], last[element] = min(first[element], block), max(last[element], block)
        for element in range(count - 1, 0, -1):  # an element comes behind the one around it
            around = int(self.layout.parent[element])
            if around >= 0:
                first[around], last[around] = min(first[around], first[element]), max(last[around], last[element])
        return first, last

    def outermost(self, first: int, last: int, labels: int = 0) -> Iterator[tuple[int, int, int]]:
        """Outermost elements whose blocks all lie in a range: (element, first, last block), counted in the page.

        Args:
            labels: So many blocks more they may hold at either end.
        """
        begins, ends = self.spans
        at = first
        while at <= last:
            inside, element = -1, int(self.layout.element[at])
            while element >= 0 and begins[element] >= first - labels and ends[element] <= last + labels:
                inside, element = element, int(self.layout.parent[element])
            if inside >= 0:
                yield inside, begins[inside], ends[inside]
                at = max(ends[inside], at)
            at += 1

    def selectors(self, element: int) -> list[str]:
        """Selectors that an element answers to, the plainest first."""
        _, tag, *names = self.steps[element].split(" ")[:-1]
        if not _is_block(tag) or "*" in names:
            return []
        found = [tag + ("#" + _escaped(name[1:]) if name.startswith("#") else "." + _escaped(name)) for name in names]
        classes = ["." + _escaped(name) for name in names if not name.startswith("#")]
        if 2 <= len(classes) <= 6:
            found.append(tag + "".join(classes))
        return found + ([tag] if tag in NAMED_BY_TAG else [])

    def matched(self, selector: Selector) -> I64:
        """Blocks inside the elements that a selector matches, numbered through the collection."""
        rows = selector.rows(self.layout.steps)
        if not rows:
            return np.empty(0, np.int64)
        parent, element = self.layout.parent, self.layout.element
        inside = np.zeros(len(element), bool)
        for row in rows:
            after = np.flatnonzero(parent[row + 1:] < row)  # the first element that is not inside
            end = row + 1 + int(after[0]) if len(after) else len(parent)
            inside |= (element >= row) & (element < end)
        return self.first + np.flatnonzero(inside)


def _is_block(tag: str) -> bool:
    from dedup.readers.elements import BLOCKS

    return tag in BLOCKS and tag not in ("html", "body")


def _escaped(name: str) -> str:
    """A class or id as CSS writes it."""
    text = _ESCAPED.sub(r"\\\1", name)
    return text if _PLAIN.match(name) or not name[0].isdigit() else f"\\3{name[0]} {text[1:]}"


class Selector(Struct, frozen=True, dict=True):
    """A tag with classes or an id, as `Tree.selectors` makes them."""

    text: str

    @cached_property
    def _parts(self) -> tuple[str, list[str]]:
        """Tag, and what must stand in its line."""
        plain = re.sub(r"\\3(\d) ", r"\\\1", self.text)
        tag, *names = re.split(r"(?<!\\)(?=[.#])", plain)
        return tag, [re.sub(r"\\(.)", r"\1", name if name[0] == "#" else name[1:]) for name in names]

    def rows(self, steps: str) -> list[int]:
        """Rows of the elements that it matches; those with more classes than are kept count as matched."""
        tag, names = self._parts
        if names and f" {names[0]} " not in steps and " * " not in steps:
            return []
        return [row for row, line in enumerate(steps.split("\n")) if line.startswith(f" {tag} ")
                and (all(f" {name} " in line for name in names) or " * " in line)]


class Site:
    """The pages of one site, and what stands on them."""

    def __init__(self, judgement: Judgement, pages: list[int]) -> None:
        self.judgement, self.pages = judgement, pages
        self.corpus: Corpus = judgement.findings.corpus
        self.options = judgement.findings.options
        self._trees: dict[int, Tree] = {}

    def tree(self, page: int) -> Tree:
        """The elements of a page."""
        if page not in self._trees:
            self._trees[page] = Tree(self.corpus.pages.layouts[page], int(self.corpus.page_first[page]))
        return self._trees[page]

    @cached_property
    def page_counts(self) -> dict[int, int]:
        """On how many pages of the site each block text stands, by fingerprint."""
        corpus = self.corpus
        rows = np.concatenate([np.arange(corpus.page_first[p], corpus.page_first[p + 1]) for p in self.pages])
        page = np.repeat(self.pages, widths(corpus.page_first)[self.pages])
        print_ = corpus.fingerprint[rows]
        order = np.lexsort((page, print_))
        print_, page = print_[order], page[order]
        new = np.ones(len(order), bool)
        new[1:] = (print_[1:] != print_[:-1]) | (page[1:] != page[:-1])
        values, counts = np.unique(print_[new], return_counts=True)
        return dict(zip(values.tolist(), counts.tolist(), strict=True))

    def copies(self, page: int, kind: int) -> Iterator[tuple[int, int, int]]:
        """Stands of a kind on a page, and the blocks of each of their copies that may go: (stand, first, last)."""
        j = self.judgement
        places = j.findings.places
        for s in j.stands(page).tolist():
            of_kind = j.across[s] == TEMPLATE if kind == TEMPLATE else (
                j.within[s] == kind and (kind == RENDERED or bool(j.device[s])))
            if of_kind:
                for row in range(int(j.first[s]) + (kind != TEMPLATE), int(j.first[s + 1])):
                    yield s, int(places.first_block[row]), int(places.last_block[row])

    def votes(self, kind: int, pages: Iterable[int]) -> dict[str, dict[int, int]]:
        """Selectors of the elements that hold the copies of a kind: pages that they stand on, half tokens in them."""
        votes: dict[str, dict[int, int]] = defaultdict(dict)
        for page in pages:
            tree = self.tree(page)
            for _, first, last in self.copies(page, kind):
                total = int(self.corpus.halves[first:last + 1].sum())
                inside = first - tree.first, last - tree.first
                for element, begin, end in {*tree.outermost(*inside), *tree.outermost(*inside, labels=LABELS)}:
                    held = int(self.corpus.halves[begin + tree.first:end + tree.first + 1].sum())
                    if held >= (LEAST_HALVES if kind == TEMPLATE else OWN_SHARE * total):
                        for selector in tree.selectors(element):
                            votes[selector][page] = votes[selector].get(page, 0) + held
        return votes

    def spared(self, kind: int, page: int, dropped: I64) -> bool:
        """Whether what would be dropped of a page stands elsewhere: beside it on the page, or on other pages."""
        corpus = self.corpus
        spoken = dropped[corpus.halves[dropped] > 0]
        prints, halves = corpus.fingerprint[spoken], corpus.halves[spoken]
        if kind == TEMPLATE:
            on = np.array([self.page_counts[int(p)] for p in prints])
            least = max(self.options.template_pages, self.options.template_share * len(self.pages))
            return bool((on > 1).all() and halves[on >= least].sum() >= SHARED_SHARE * halves.sum())
        every = np.arange(corpus.page_first[page], corpus.page_first[page + 1])
        kept = np.setdiff1d(every, dropped, assume_unique=True)
        lost = spoken[~np.isin(prints, corpus.fingerprint[kept])]
        return all(self._stands_beside(page, int(block), dropped) for block in lost)

    def _stands_beside(self, page: int, block: int, dropped: I64) -> bool:
        """Whether a block lies in the matched part of a word for word repeat, of which another copy is not dropped."""
        j = self.judgement
        table, places = j.table, j.findings.places
        start, end = self.corpus.start[block], self.corpus.end[block]
        for s in j.stands(page).tolist():
            rows = np.arange(j.first[s], j.first[s + 1])
            if len(rows) < 2 or table.jaccard[rows].min() < 1:
                continue
            inside = [r for r in rows.tolist() if places.first_block[r] <= block <= places.last_block[r] and any(
                a <= start and end <= b for a, b in zip(*(side[table.parts.first[r]:table.parts.first[r + 1]] for side in (
                    table.parts.part_start, table.parts.part_end)), strict=True))]
            if inside and any(not ((dropped >= places.first_block[r]) & (dropped <= places.last_block[r])).any()
                              for r in rows.tolist()):
                return True
        return False


class Found(Struct):
    """What a selector drops on the pages of a site."""

    selector: str
    pages: dict[int, I64]  # page -> blocks dropped
    halves: int = 0
    all_pages: int = 0  # pages on which it drops something, and half tokens: also where nothing of the kind stands
    all_halves: int = 0


def find_causes(judgement: Judgement) -> tuple[Cause, ...]:
    """The causes of repeats on many pages, those on most pages first."""
    findings = judgement.findings
    if findings.options.unit != "block" or len(findings.corpus.pages) < findings.options.template_pages:
        return ()
    site, _ = judgement.sites
    of_site: dict[int, list[int]] = defaultdict(list)
    for p, layout in findings.corpus.pages.layouts.items():
        if layout.steps and p >= (findings.corpus.references or 0):
            of_site[int(site[p])].append(p)
    found = [cause for pages in of_site.values() if len(pages) >= findings.options.template_pages
             for cause in _site_causes(Site(judgement, pages))]
    order = {"rendered-twice": 0, "navigation": 1, "template": 2}
    return tuple(sorted(found, key=lambda c: (order[c.kind], -c.pages, c.selector)))


def _site_causes(site: Site) -> Iterator[Cause]:
    for kind in (RENDERED, NAVIGATION, TEMPLATE):
        affected = [page for page in site.pages if next(site.copies(page, kind), None) is not None]
        if len(affected) < site.options.template_pages:
            continue
        found = list(_finds(site, kind, affected))
        quotes = quotes_apart([_begins(site, one) for one in found])
        for one, quote in zip(found, quotes, strict=True):
            yield _told(site, kind, one, affected, quote)


def _finds(site: Site, kind: int, affected: list[int]) -> Iterator[Found]:
    """The selectors that drop most, each what no other one drops."""
    names = _candidates(site, kind, affected)
    taken: dict[int, list[I64]] = defaultdict(list)
    for _ in range(MOST_CAUSES):
        best = _best(site, kind, names, affected, taken)
        if best is None:
            return
        for page, dropped in best.pages.items():
            taken[page].append(dropped)
        yield best


def _candidates(site: Site, kind: int, affected: list[int]) -> list[str]:
    """The selectors worth checking, from some of the pages."""
    sample = affected[::max(1, -(-len(affected) // SAMPLE))]
    votes = site.votes(kind, sample)
    least = min(site.options.template_pages, len(sample))
    ranked = sorted((-len(pages), -sum(pages.values()), len(name), name) for name, pages in votes.items()
                    if len(pages) >= least)
    return [name for *_, name in ranked[:CANDIDATES]]


def _best(site: Site, kind: int, names: list[str], affected: list[int], taken: dict[int, list[I64]]) -> Found | None:
    """The selector that drops most copies, of those that drop nothing else and nothing that another one drops."""
    checked = [found for name in names if (found := _checked(site, kind, name, set(affected), taken))]
    if not checked:
        return None
    return min(checked, key=lambda found: (-len(found.pages), -found.halves, len(found.selector), found.selector))


def _checked(site: Site, kind: int, name: str, affected: set[int], taken: dict[int, list[I64]]) -> Found | None:
    """What a selector drops on all pages; nothing where it drops on some page what stands nowhere else."""
    selector, found = Selector(name), Found(name, {})
    for page in site.pages:
        dropped = site.tree(page).matched(selector)
        if not len(dropped):
            continue
        if not site.spared(kind, page, dropped):
            return None
        halves = int(site.corpus.halves[dropped].sum())
        found.all_pages, found.all_halves = found.all_pages + (halves > 0), found.all_halves + halves
        if page in affected and not any(np.isin(dropped, other).any() for other in taken[page]):
            found.pages[page] = dropped
            found.halves += halves
    return found if len(found.pages) >= site.options.template_pages else None


def _standing(site: Site, kind: int, found: Found) -> tuple[I64, int]:
    """Stands with a copy in what is dropped, of each group one, those with most words first; and how often the text
    stands on each page, 0 if that differs: of several texts the one with most words counts.
    """
    j = site.judgement
    stands, often = dict[int, int](), set[int]()
    for page, dropped in found.pages.items():
        rows = np.array(list(site.copies(page, kind)), np.int64).reshape(-1, 3)
        begun, over = np.searchsorted(dropped, rows[:, 1]), np.searchsorted(dropped, rows[:, 2], side="right")
        held = distinct_numbers(rows[begun < over, 0])
        stands.update((int(j.group[s]), int(s)) for s in held)
        if len(held):
            most = held[int(j.copies.words[j.first[held]].argmax())]
            often.add(int(j.first[most + 1] - j.first[most]))
    rows = np.array(list(stands.values()), np.int64)
    order = np.lexsort((np.array(list(stands), np.int64), -j.copies.words[j.first[rows]]))
    return rows[order], often.pop() if len(often) == 1 else 0


def _told(site: Site, kind: int, found: Found, affected: list[int], quote: str) -> Cause:
    """A cause in words."""
    from dedup.sentences import often_on_page

    corpus, pages = site.corpus, sorted(found.pages)
    name: VerdictKind = NAMES[kind]
    words = found.halves / 2 / len(pages)
    stands, copies = _standing(site, kind, found)
    often = often_on_page(copies)
    figures = {"pages": len(pages), "affected_pages": len(affected), "site_pages": len(site.pages),
               "words_a_page": round(words, 1), "words_out": found.all_halves / 2, "pages_out": found.all_pages}
    if kind != TEMPLATE:
        figures["copies"] = copies
    some = f"{len(pages):,} pages"
    if kind == TEMPLATE:
        made = f", in {len(stands)} passages" if len(stands) > 1 else ""
        text = f"{_template_part(found.selector)} stands on {some}, {words:,.0f} words{made}: {quote}"
    elif kind == NAVIGATION:
        text = f"the same menu or notice stands {often} on {some}: {quote}"
    else:
        headed = sum(_is_headed(site, page, found.pages[page]) for page in pages)
        thing = "the article" if 2 * headed > len(pages) else "a section"
        always = len(pages) == len(affected)
        where = "" if always else f"on {len(pages):,} of them "
        copy = "the second copy" if copies == 2 else "one of the copies"
        text = f"{thing} stands {often} on {len(affected):,} pages; {where}{copy} {_version(found.selector, always)}"
    groups = tuple(int(site.judgement.group[s]) for s in stands)
    return Cause(name, text, found.selector, len(pages), tuple(corpus.pages.id(page) for page in pages[:3]), figures, groups)


def _version(selector: str, always: bool) -> str:
    """What the element of a second copy is for, in an editor's words."""
    for version, words in VERSIONS.items():
        if words.search(selector):
            return f"is {version}"
    return f"{'always ' if always else ''}stands in the same part of the page"


def _template_part(selector: str) -> str:
    """What an element of the site's template is, in an editor's words."""
    tag = re.split(r"[.#]", selector, maxsplit=1)[0]
    return f"the site's {PARTS[tag]}" if tag in PARTS else "a part of the site's template"


def _begins(site: Site, found: Found) -> str:
    """How the text begins that a selector drops of its first page, in one line."""
    blocks = found.pages[min(found.pages)]
    return " ".join(" ".join(site.corpus.block_text(int(block)) for block in blocks[:QUOTED_BLOCKS]).split())


def quotes_apart(texts: list[str]) -> list[str]:
    """The beginning of each text in quotes, so far that it is no beginning of another one's, as far as texts differ.

    >>> quotes_apart(["Share Print Email", "Share Print"])
    ['"Share Print Email"', '"Share Print"']
    """
    from dedup.sentences import QUOTE_CHARS, shortened

    quotes = []
    for text in texts:
        others = [other for other in texts if other != text]
        limit = QUOTE_CHARS
        while limit < min(len(text), MOST_QUOTED) and any(
                other.startswith(shortened(text, limit).removesuffix("...")) for other in others):
            limit += QUOTE_STEP
        quotes.append(f'"{shortened(text, limit)}"')
    return quotes


def _is_headed(site: Site, page: int, dropped: I64) -> bool:
    """Whether what is dropped of a page reads like an article: a heading and three paragraphs."""
    from dedup.copies import PARAGRAPH_HALVES
    from dedup.model import BlockKind
    from dedup.sentences import ARTICLE_PARAGRAPHS

    kinds, halves = site.corpus.kind[dropped], site.corpus.halves[dropped]
    long = (kinds != BlockKind.HEADING) & (halves >= PARAGRAPH_HALVES)
    return bool((kinds == BlockKind.HEADING).any() and long.sum() >= ARTICLE_PARAGRAPHS)
