"""What goes in and what comes out: pages, and the parts of a report.

Names and meanings are those of the JSON report (``dedup-report/1``): every key is an attribute here.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["exact", "near", "contained"]
Tag = Literal["equal", "replace", "delete", "insert"]
Opcode = tuple[Tag, int, int, int, int]  # what becomes of a[a0:a1], and of which b[b0:b1]
Gate = Literal["min_evidence", "min_dice", "min_tokens", "min_chars", "min_similarity", "threshold", "order", "words",
               "windows", "exhaustive", "find", "scope", "between", "overlap", "runs"]
VerdictKind = Literal["rendered-twice", "teaser", "navigation", "refrain", "template", "shared", "copy-of"]


class _NoMeta(Mapping[str, Any]):
    """An empty mapping that nobody can write to; unlike a ``MappingProxyType`` it can be pickled and copied."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"

    def __reduce__(self) -> str:
        return "NO_META"


NO_META: Mapping[str, Any] = _NoMeta()


class BlockKind(enum.IntEnum):
    """What a block is; stored as ``uint8``."""

    PARAGRAPH = 0
    HEADING = 1
    LIST_ITEM = 2
    CELL = 3
    CAPTION = 4
    CODE = 5
    LINE = 6
    FRONT_MATTER = 7


class BlockFlag(enum.IntFlag):
    """What is known of a block beside its text; stored as ``uint8``."""

    NONE = 0
    HIDDEN = 1  # hidden attribute or inline display:none, on it or around it
    NAVIGATION = 2  # under nav, header, footer, menu, or a class or role that says so
    QUOTE = 4  # in a blockquote, or a class that says quote, signature or who wrote it; not where it says pulled quote
    TABLE_OR_CODE = 8  # in a table, pre or code
    DEVICE = 16  # a class that says mobile, desktop, print, hidden...: a copy for one device
    FORM = 32  # in a label, list of options, or a class that says filter, login, newsletter
    FOOTER = 64  # in the page's footer, or a class or role that says so
    CODE = 128  # in pre or code


@dataclass(frozen=True, slots=True)
class Layout:
    """The blocks of a page whose reader knows them (HTML, Markdown), as columns: one row a block, in text order.

    Attributes:
        start, end: Half-open code points of ``Page.text``, ``int64``.
        source_start, source_end: Half-open code points of the decoded source (no BOM, CR LF as two), ``int64``.
        line, end_line: First and last line in the source, from 1, ``int32``.
        kind: ``BlockKind``, ``uint8``.
        flags: ``BlockFlag``, ``uint8``.
        link_chars: Characters of the block's text that lie inside links, ``int32``.
        path: DOM path of each block's element (empty for Markdown).
        map_first: First row of each block in ``map_text`` / ``map_source``, ``int64``, one longer than the blocks.
            A block without rows has no map inside it: its places map to the whole block.
        map_text, map_source: Points ``(offset in Page.text, offset in source)`` from which text and source run in
            step, one code point for one, up to the next point; of two for one offset in the text the first one is where the
            source of what stands before ends (behind a character reference). ``int64``.
        element: Of each block, the row of its element, ``int32``; empty but for HTML.
        parent: Of each element that holds blocks, the row of the one around it, -1 for none, ``int32``; in document order.
        steps: The elements, one a line: tag, ``#id`` and classes between blanks.
        feed: Line ends of the source inside blocks, code points of the decoded source, ascending, ``int64``. Without them
            (a page stored by an earlier version) a place inside a block has the block's lines.
    """

    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    source_start: npt.NDArray[np.int64]
    source_end: npt.NDArray[np.int64]
    line: npt.NDArray[np.int32]
    end_line: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]
    link_chars: npt.NDArray[np.int32]
    path: tuple[str, ...]
    map_first: npt.NDArray[np.int64]
    map_text: npt.NDArray[np.int64]
    map_source: npt.NDArray[np.int64]
    element: npt.NDArray[np.int32]
    parent: npt.NDArray[np.int32]
    steps: str
    feed: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Page:
    """One page: a web page, a document, a record.

    Attributes:
        id: Names the page in the report; unique in one scan (readers see to it).
        text: The page's text; offsets count its code points.
        source: File or place it came from; never empty in a report.
        title: Title, where the format has one.
        meta: Fields carried into the report.
        url: Address of a web page, where known.
        line: Line of the source where the text begins, from 1 (of a record: the record's line).
        record: True for a record of a larger file (JSONL, CSV, Parquet, WARC): all its places have `line`.
        layout: The blocks, where the reader knows them; else ``None`` and the text is cut into blocks.
        site: What counts as one site: host of the url, else the scanned root.
        number: What finds a record again in its file, from 1: its line (JSON Lines, CSV), element (a JSON array), row
            (Parquet, Arrow) or WARC record; of what a program handed over, its index and 1. 0: the page is a whole file.
    """

    id: str
    text: str
    source: str = ""
    title: str | None = None
    meta: Mapping[str, Any] = field(default_factory=lambda: NO_META)  # no default of its own: it has no hash
    url: str | None = None
    line: int = 1
    record: bool = False
    layout: Layout | None = None
    site: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class ReadError:
    """Something that could not be read; the rest was processed.

    Attributes:
        source: File or place.
        line: Line in it, from 1, or ``None`` where there is none.
        message: Cause and what was done, in one line.
    """

    source: str
    line: int | None
    message: str

    @property
    def is_note(self) -> bool:
        """Whether nothing was lost: a page or line was used as a whole, and only its encoding was guessed."""
        return _GUESSED.search(self.message) is not None


_GUESSED = re.compile(r"encoding guessed( as Windows-1252; the (page|line) is used|\))\Z")


def unread(errors: Iterable[ReadError]) -> list[ReadError]:
    """Errors by which something was lost."""
    return [error for error in errors if not error.is_note]


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was read but not compared, by reason.

    Attributes:
        reason: Why, in a few words.
        count: How many pages, records or files.
        examples: Up to ten places.
    """

    reason: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where a group's text stands.

    Attributes:
        page: Id of the page.
        start, end: Half-open code points of the page's text.
        source_start, source_end: The same in the decoded source; ``None`` where the source is not text.
        source_exact: False where the place lies inside a block that has no exact map: then it is the whole block's.
        line, end_line: First and last line in the source file, from 1.
        path: DOM path of the first block (HTML), else ``None``.
        parts: Matched stretches of a run that goes over unmatched blocks, in step with those of the occurrences that it
            was matched with.
        text: The page's text from start to end.
        similarity, jaccard, containment, indel_similarity: Against the group's representative, 0.0 to 1.0.
        dice, evidence: Of an aligned passage, against the representative; see ``Pair``.
        copies: How often the group's text stands from start to end, one copy right after the other: more than once only where
            a text follows itself many times, which is shown as one place.
    """

    page: str
    start: int
    end: int
    source_start: int | None
    source_end: int | None
    line: int
    end_line: int
    path: str | None
    parts: tuple[tuple[int, int], ...] | None
    text: str
    similarity: float = 1.0
    jaccard: float = 1.0
    containment: float = 1.0
    indel_similarity: float = 1.0
    source_exact: bool = True
    dice: float | None = None
    evidence: float | None = None
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Text that stands in two places or more, joined by verified links only.

    Attributes:
        id: Number of the group in its report, from 0: ``report.groups[id]``.
        kind: ``exact`` (normalised texts equal), ``near``, or ``contained`` (one side a whole block, the other a
            part of a longer one).
        similarity: The least of its occurrences' similarities.
        tokens: Length of the representative, of its parts where it has some, in tokens (a character of a script without
            spaces counts half).
        blocks: Blocks that the representative holds or touches.
        text: Text of the representative.
        related: Ids of groups that were split from this one by the representative rule.
        truncated: A bound was met; there may be more.
        representative: Which of the occurrences, from 0, all others were checked against: the first one that was linked to
            all of them; where there is none, the one with most links, of those the longest.
        part_of: With ``fold_parts``: id of the group beneath which it is told, because most of its places lie in that one's;
            else ``None``.
        period: Where an occurrence has more than one copy: tokens of the shortest text of which all of that is made, over and
            over (1.0 for "ab ab ab ..."); else ``None``.
    """

    id: int
    kind: Kind
    similarity: float
    tokens: float
    blocks: int
    text: str
    occurrences: tuple[Occurrence, ...]
    related: tuple[int, ...] = ()
    truncated: bool = False
    representative: int = 0
    period: float | None = None
    part_of: int | None = None

    @property
    def count(self) -> int:
        """How often its text stands: the copies of all occurrences."""
        return sum(occurrence.copies for occurrence in self.occurrences)


@dataclass(frozen=True, slots=True)
class Pair:
    """One verified link; `a` comes before `b` in the one order.

    Attributes:
        dice: Of an aligned passage: weighted share of the words that both sides have, 0.0 to 1.0; else ``None``.
        evidence: Of an aligned passage: what both sides share beyond what chance gives, in rare words; else ``None``.
    """

    a: Occurrence
    b: Occurrence
    kind: Kind
    similarity: float
    jaccard: float
    containment_a: float
    containment_b: float
    indel_similarity: float
    dice: float | None = None
    evidence: float | None = None

    def opcodes(self) -> list[Opcode]:
        """The word diff: ``(tag, a0, a1, b0, b1)``, half-open code points of the two pages' texts.

        Tags are those of difflib: ``equal``, ``replace``, ``delete`` (only in `a`), ``insert`` (only in `b`). The ranges
        follow each other without gaps. Words are equal whatever their case and the punctuation around them. It is made
        anew at each call; of a huge pair, stretches that cannot be aligned in bounded work are one ``replace``.

        Raises:
            DedupError: The pair comes from a report without texts.
        """
        from dedup.errors import DedupError
        from dedup.opcodes import opcodes_of_equal, word_opcodes

        for side in (self.a, self.b):
            if len(side.text) != side.end - side.start:
                raise DedupError(f"the text of page {side.page} from {side.start} to {side.end} is not there", "opcodes",
                                 "Scan again, or read a report that was written with its texts.")
        if self.kind == "exact":  # whatever was folded to say so
            return opcodes_of_equal(self.a.text, self.b.text, self.a.start, self.b.start, self.a.parts, self.b.parts)
        return word_opcodes(self.a.text, self.b.text, self.a.start, self.b.start)


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Two places of a comparison that are alike and are not reported; `a` comes before `b` in the one order.

    Attributes:
        gate: What stopped it; of several gates the one of which it fell shortest.
            ``min_evidence``, ``min_dice``, ``min_tokens``, ``min_chars``, ``min_similarity``, ``threshold``: the setting of
            that name. ``order``: its words stand in another order, which only ``find="reworded"`` allows, and inside a page
            in part. ``windows``: too few of its windows of 24 words are alike, which no setting changes. ``exhaustive``:
            missed by chance, ``exhaustive`` finds it. ``find``: another `find` finds it. ``scope``: not asked for.
            ``overlap``: its words stand in a better passage. ``runs``: it says no more than the equal runs in it, which are
            reported.
        value, asked: What it reached and what it had to; ``None`` where the gate has no figure.
        tokens: Length of its longer side in tokens.
        dice, evidence: As of ``Pair``; ``None`` where no bags of words were compared (``find="exact"``, ``unit="page"``).
        order: Similarity of its tokens in their order (Indel), 0.0 to 1.0; ``None`` as before.
    """

    a: Occurrence
    b: Occurrence
    gate: Gate
    value: float | None
    asked: float | None
    tokens: float
    similarity: float
    jaccard: float
    containment_a: float
    containment_b: float
    indel_similarity: float
    dice: float | None = None
    evidence: float | None = None
    order: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a repeat amounts to on a page.

    Attributes:
        kind: See ``VerdictKind``.
        text: One sentence for a person.
        groups: Ids of the groups it rests on.
        evidence: The figures it rests on; of ``rendered-twice`` also ``besides``, in words: what lies inside a copy and is no
            part of it.
    """

    kind: VerdictKind
    text: str
    groups: tuple[int, ...]
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why many pages of a site have the same repeat: its copies stand in the same element, which can be left out.

    It was checked on every page of the site: what the selector drops stands elsewhere, too.

    Attributes:
        kind: ``rendered-twice``, ``navigation`` or ``template``.
        text: One sentence for an editor.
        selector: CSS selector of the element, for ``--ignore``.
        pages: How many pages have copies in it.
        groups: Ids of the groups that stand in it, those with most words first.
        examples: Ids of up to three of them.
        evidence: The figures it rests on.
    """

    kind: VerdictKind
    text: str
    selector: str
    pages: int
    examples: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[int, ...] = ()

    @property
    def remedy(self) -> str:
        """One sentence for whoever builds the site, with code between backticks."""
        what = "it is" if self.kind == "template" else "the second copy is" if self.evidence.get("copies", 2) == 2 else \
            "one of the copies is"
        words, pages = self.evidence.get("words_out"), self.evidence.get("pages_out")
        goes = f" ({words:,.0f} words on {pages:,} pages; nothing that stands only once)" if words and pages else ""
        return f"{what} in `{self.selector}`: `--ignore '{self.selector}'` leaves it out when the pages are compared{goes}"


@dataclass(frozen=True, slots=True)
class SmallRepeat:
    """A block under ``min_tokens`` that stands more than once on its page.

    Attributes:
        text: The block.
        lines: Its lines in the source, from 1.
    """

    text: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PageReport:
    """What is said of one page; pages without repeats are listed too.

    Attributes:
        words, chars: Length in tokens and in code points.
        duplicate_chars: Characters in any occurrence but the first of its group, each counted once.
        within_share, across_share: Share of the characters in its blocks that stand elsewhere too, on this page / on
            others. White space between blocks and blocks without a word count for no share.
        text: The page's text where it was asked for (``with_text``), else ``None``.
        reference: The page is one that the others are compared against: it has no verdicts, and none of its characters are
            duplicate ones; ``across_share`` says how much of it stands on those.
        lines: With the text: points ``(offset in the text, line in the source)``, from 1; from one to the next, each line
            feed is one line more. None of a record: all of it stands on one line.
    """

    id: str
    source: str
    title: str | None
    words: int
    chars: int
    meta: Mapping[str, Any]
    duplicate_chars: int
    within_share: float
    across_share: float
    verdicts: tuple[Verdict, ...] = ()
    small_repeats: tuple[SmallRepeat, ...] = ()
    text: str | None = None
    reference: bool = False
    lines: tuple[tuple[int, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of a whole report.

    ``blocks`` = ``compared`` + ``short`` + what was skipped inside pages, always.

    Attributes:
        pages: Pages read.
        blocks: Blocks (unit page: pages) read.
        compared: Those long enough to be compared.
        short: Those under ``min_tokens``: compared exactly only.
        skipped: Pages, records and files not compared, with reasons in ``Report.skipped``.
        groups: Groups reported.
        chars: Characters of all pages.
        duplicate_chars: See ``PageReport``.
        duplicate_share: Share of the characters in blocks that are duplicate ones.
        content_share: The same without template, navigation and refrain.
        reference_pages: Pages that these were compared against; no other figure but ``skipped`` counts them.
    """

    pages: int
    blocks: int
    compared: int
    short: int
    skipped: int
    groups: int
    chars: int
    duplicate_chars: int
    duplicate_share: float
    content_share: float
    reference_pages: int = 0
