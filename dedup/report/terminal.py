"""The report for a terminal: figures, then verdicts in words, then the groups that waste most.

Everything holds in 80 columns, without colours, and in any encoding; colours only repeat what the words say.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from dedup.model import Group, NearMiss, Occurrence, PageReport, Pair, ReadError, Skipped, Verdict, unread
from dedup.outline import FOLDED
from dedup.report.beneath import Beneath, counted, parts_words
from dedup.report.diff import Stretch, differences, folded, pair_differences
from dedup.report.gather import Best, Gathered, chosen_places, edited_words, matched_text, references_last
from dedup.report.headline import headline
from dedup.report.misses import miss_measures, why_missed
from dedup.report.text import (
    count,
    decimal,
    hide_words,
    line_range,
    one_line,
    page_name,
    percent,
    place,
    safe,
    short_path,
    times,
    verdict_words,
    with_flags,
)
from dedup.report.troubles import plain_reason

if TYPE_CHECKING:
    from dedup.report import Report

TOP = 10
MOST_TOLD = 2000  # pages that stand twice, whose verdicts are made to say how many they are
PLACES, PARTS = 5, 3  # places of a group, and those of its parts
MAX_WIDTH = 100
PIPE_WIDTH = 80
BAR = 16
TEXT_CHARS = 230  # about three lines
MISS_CHARS = 140
DIFF_STRETCHES = 24
PATH_CHARS = 40
STYLES = {"same": "", "old": "red", "new": "green", "unread": "dim"}
MARKS = {"same": ("", ""), "old": ("[-", "-]"), "new": ("{+", "+}"), "unread": ("", "")}
FOLD_WORDS = {"navigation": "navigation", "refrain": "refrains", "template": "template of the site"}


class Signs(NamedTuple):
    """The few signs beside ASCII, and what stands for them where the output has no Unicode."""

    dot: str = "·"
    bullet: str = "●"
    paragraph: str = "¶"
    full: str = "━"
    empty: str = "╌"

    @classmethod
    def for_encoding(cls, encoding: str) -> Signs:
        """Those that the encoding can write."""
        signs = cls()
        try:
            "".join(signs).encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return cls("-", "*", "/", "#", ".")
        return signs


def print_report(report: Report, file: IO[str], top: int = TOP) -> None:
    """Print a report for a person: in colours on a terminal that has them, else as plain text of 80 columns."""
    console_for(file).print(ReportView(report, top))


def console_for(file: IO[str], colours: bool = True) -> Console:
    """A console that neither reads markup nor grows wider than what is pleasant to read; plain in a file (no `colours`)."""
    plain: dict[str, Any] = {} if colours else {"color_system": None, "force_terminal": False}
    console = _Console(file=file, markup=False, emoji=False, highlight=False, **plain)
    console.width = min(console.width, MAX_WIDTH) if console.is_terminal else PIPE_WIDTH
    return console


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise  # Rich would end the process with status 1


class ReportView:
    """A report as something that Rich can print."""

    def __init__(self, report: Report, top: int = TOP, written: Sequence[str] = ()) -> None:
        """Show at most `top` entries of each list; of a report `written` to files the figures alone, and where."""
        self.report, self.top, self.written = report, top, written

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        writer = _Writer(self.report, self.top, console, options)
        yield from writer.figures()
        if not self.written or self.report.options.unit == "page":
            yield from writer.headline()
        if not self.written:
            yield from writer.body()
            return
        from dedup.report.formats import format_of

        for path in self.written:
            yield from writer.lines(writer.say(f"The {format_of(path).what} stands in {path}"))


class _Writer:
    """Makes the lines of one report for one console."""

    def __init__(self, report: Report, top: int, console: Console, options: ConsoleOptions) -> None:
        self.report, self.top, self.console, self.width = report, top, console, options.max_width
        self.encoding = options.encoding
        self.signs = Signs.for_encoding(self.encoding)
        self.found = Gathered.of(report, top)
        self.one_page = report.summary.pages == 1

    # Lines: all text passes through here.

    def say(self, text: str, style: str = "") -> Text:
        """Text of ours or of others, harmless."""
        return Text().append(safe(text, self.encoding), style)  # as a base style it would colour what is appended

    def lines(self, text: Text, lead: str = "", style: str = "", indent: int = 0) -> Iterator[Text]:
        """Lines that fit: `lead` before the first one, the others below its end (or at `indent`)."""
        hang = max(cell_len(lead), indent)
        starts = itertools.chain([Text(lead, style)], itertools.repeat(Text(" " * hang)))
        wrapped = text.wrap(self.console, max(self.width - hang, 8), overflow="fold")
        for start, line in zip(starts, wrapped, strict=False):
            line.rstrip()
            yield start + line

    def more(self, best: Best[object] | int, noun: str, plural: str = "", indent: str = "  ") -> Iterator[Text]:
        """What `--top` hid."""
        hidden = best if isinstance(best, int) else best.hidden
        if hidden:
            yield from self.lines(self.say(f"and {count(hidden, f'more {noun}', plural and f'more {plural}')}: "
                                           f"--top {self.top + hidden}", "dim"), indent)

    def heading(self, text: str) -> Iterator[Text]:
        yield Text()
        yield Text(text, "bold")

    # (a) Figures.

    def figures(self) -> Iterator[Text]:
        """Size, share and counts; of a comparison the share of each side."""
        s, dot = self.report.summary, f" {self.signs.dot} "
        names = self._names()
        pages = names if names and (self.one_page or self.report.is_comparison) else count(s.pages, "page")
        head = dot.join([pages, count(self.found.words, "word"), count(s.chars, "character")])
        yield from self.lines(self.say(head, "bold"))
        if self.report.is_comparison:
            yield from self._shared_shares()
        else:
            share = self._bar(s.duplicate_share)
            share.append(" stands in the index too" if self.report.index_pages is not None else
                         " stands in the references too" if s.reference_pages else " repeated")
            content = percent(s.content_share)
            if s.duplicate_chars and content != percent(s.duplicate_share):
                share.append(f"; {content} without template, menus and refrains")
            yield from self.lines(share)
        unit = "page" if self.report.options.unit == "page" else "block"
        under = f", {s.short:,} under {count(self.report.options.min_tokens, 'word')}" if s.short else ""
        parts = [f"{count(s.blocks, unit)}: {s.compared:,} compared{under}", counted(s.groups, self._parts())]
        parts += [f"{self.report.left_out:,} more left out"] if self.report.left_out else []
        parts += [f"{self.report.hidden:,} hidden by {hide_words(self.report.options)}"] if self.report.hidden else []
        if self.report.index_pages is not None:
            parts += [self._in_index()]
        elif s.reference_pages:
            parts += [f"against {count(s.reference_pages, 'page')}"]
        parts += [f"{s.skipped:,} skipped"] if s.skipped else []
        lost = len(unread(self.report.errors))
        parts += [f"{lost:,} not readable"] if lost and not s.skipped else []
        yield from self.lines(self.say(dot.join(parts)))

    def headline(self) -> Iterator[Text]:
        """How many of several pages stand twice."""
        if told := headline(self.report, most=MOST_TOLD):
            yield from self.lines(self.say(told, "bold"))

    def _bar(self, share: float) -> Text:
        full = round(share * BAR) or (1 if share else 0)
        text = self.say(f"{percent(share):>6}", "bold yellow" if share else "bold green")
        return text.append(" ").append(self.signs.full * full, "yellow").append(self.signs.empty * (BAR - full), "dim")

    def _shared_shares(self) -> Iterator[Text]:
        edited = edited_words(self.report, "them")
        for page, side, other in zip(self.report.pages, "AB", "BA", strict=False):
            text = self._bar(page.across_share)
            text.append_text(self.say(f" of {side}, {one_line(page_name(page), 200)}, lies in passages that stand in "
                                      f"{other} too{edited}"))
            yield from self.lines(text)

    def _parts(self) -> int:
        """How many groups are told beneath others."""
        folded = self.report.options.fold_parts and not self.report.is_comparison  # which lists pairs, each of them
        return self.report.summary.groups - self.found.groups.seen if folded else 0

    def _names(self) -> str:
        pages = (page for page in self.report.pages if not page.reference)
        names = [page_name(page) for page in itertools.islice(pages, 2)]
        return " and ".join(one_line(name, 200) for name in names)

    # The rest, in order.

    def body(self) -> Iterator[Text]:
        yield from self.verdicts()
        if self.report.is_comparison:
            yield from self.pairs()
        elif self.found.groups.seen:
            yield from self.groups()
        if not self.report.summary.groups and not self.found.pairs.seen:
            yield from self.nothing()
        if self.report.near_misses is not None:
            yield from self.near_misses(self.report.near_misses)
        yield from self.troubles()
        if not (self.found.groups.seen or self.found.pairs.seen or self.report.errors or self.report.near_misses):
            return
        yield Text()
        yield from self.lines(self.say("All of it, with offsets: --format json, or -o report.json", "dim"))

    # (b) Verdicts.

    def verdicts(self) -> Iterator[Text]:
        found, known = self.found, self.report.summary.reference_pages > 0
        copies = [*self._page_verdicts(found.copies, "bold" if known else "")]
        own = [*self._page_verdicts(found.renderings, "" if known else "bold"), *self._folds()]
        # what stands in the references or in the index is what was asked for
        parts = [*copies, *self._causes(), *own] if known else [*self._causes(), *own, *copies]
        parts += self._small_repeats()
        if parts:
            yield from self.heading("What it amounts to")
            yield from parts

    def _causes(self) -> Iterator[Text]:
        """What many pages repeat for one reason: said once, before what is said of each page."""
        for cause in self.report.causes[: self.top]:
            yield from self.lines(self.say(one_line(cause.text, 600), "bold"), f"  {self.signs.bullet} ", "yellow")
            yield from self.lines(self.say(one_line(cause.remedy, 600)), "    ")
        yield from self.more(max(len(self.report.causes) - self.top, 0), "cause", indent="    ")

    def _page_verdicts(self, best: Best[tuple[PageReport, list[Verdict]]], style: str) -> Iterator[Text]:
        for page, verdicts in best.items:
            sentence = self.say("; ".join(verdict_words(verdicts[: self.top], 600)), style)
            if len(verdicts) > self.top:
                sentence.append(f"; and {count(len(verdicts) - self.top, 'more verdict')}")
            if not self.one_page:
                sentence = Text.assemble(self.say(one_line(page.id, 500), "cyan"), ": ", sentence)
            yield from self.lines(sentence, f"  {self.signs.bullet} ", "yellow" if style else "")
        yield from self.more(best, "page", indent="    ")  # type: ignore[arg-type]

    def _folds(self) -> Iterator[Text]:
        for kind in FOLDED:
            if kind not in self.found.folds:
                continue
            fold, page, example = self.found.folds[kind]
            name = "" if self.one_page else one_line(page.id, 60)
            if name:
                example = example.replace(" on this page", "")
            if fold.verdicts == 1:
                text = f"{name}{': ' if name else ''}{one_line(example, 300)}"
            else:
                what = count(fold.groups or fold.verdicts, "passage")
                where = "" if self.one_page else f" on {count(fold.pages, 'page')}"
                such_as = ", such as" if fold.verdicts > fold.pages or fold.groups > 1 else ", as" if name else ""
                on = f" on {name}" if name else ""
                text = f"{FOLD_WORDS[kind]}: {what}{where}{such_as}{on}: {one_line(example, 160)}"
            yield from self.lines(self.say(text), f"  {self.signs.dot} ")

    def _small_repeats(self) -> Iterator[Text]:
        repeats, pages = self.found.repeats, self.found.repeat_pages
        if not repeats:
            return
        shown = pages.most_common(5) if not self.one_page else list(pages.items())[:5]
        parts = []
        for text, on in shown:
            source, lines = repeats[text]
            where = "lines " + ", ".join(map(str, lines[:6])) + (", ..." if len(lines) > 6 else "")
            where = f"on {on:,} pages" if on > 1 else where if self.one_page else f"{one_line(source, 60)} {where}"
            parts.append(f'"{one_line(text, 50)}" ({where})')
        hidden = len(repeats) - len(shown)
        more = f" and {hidden:,} more" if hidden else ""
        yield from self.lines(self.say(f"small repeats: {', '.join(parts)}{more}"), f"  {self.signs.dot} ")

    # (c) Groups, or the pairs of a comparison.

    def groups(self) -> Iterator[Text]:
        yield from self.heading("Groups, the most wasteful first")
        for rank, group in enumerate(self.found.groups.items):
            if rank:
                yield Text()
            yield from self._group(group)
        yield from self.more(self.found.groups, "group")  # type: ignore[arg-type]

    @property
    def _known(self) -> str:
        """What pages are compared against."""
        return "references" if self.report.index_pages is None else "index"

    def _group(self, group: Group) -> Iterator[Text]:
        first = group.occurrences[group.representative]
        every, known, wasted = self.found.stands[group.id]
        stands = f"stands {times(every - known)}" + (f", in the {self._known} {times(known)}" if known else "")
        dot = f" {self.signs.dot} "
        head = self.say(f"#{group.id} ", "bold cyan")
        head.append_text(self.say(_likeness(group.kind, group.similarity), "bold"))
        head.append(dot.join(["", count(group.tokens, "word"), stands,
                              f"{count(wasted, 'character')} repeated"]))
        yield from self.lines(head, indent=4)
        shown = matched_text(first, gap="[...]")
        yield from self.lines(self.say(self._shortened(shown, group.blocks)), "    ")
        yield from self._places(group)
        hidden = len(group.occurrences) - PLACES
        if hidden > 0:
            yield from self.lines(self.say(f"and {count(hidden, 'more place')}", "dim"), "    ")
        if group.id in self.found.beneath:
            yield from self._beneath(self.found.beneath[group.id])
        if group.truncated:
            yield from self.lines(self.say("a bound was met here: there may be more", "dim"), "    ")

    def _beneath(self, told: Beneath) -> Iterator[Text]:
        yield from self.lines(self.say(parts_words(told) + (":" if told.places else "")), "    ")
        for occurrence in told.places[:PARTS]:
            yield from self.lines(self._place(occurrence), "      ")
        hidden = len(told.places) - PARTS
        if hidden > 0:
            yield from self.lines(self.say(f"and {hidden:,} more", "dim"), "      ")

    def _places(self, group: Group) -> Iterator[Text]:
        """The places of a group; copies with the same words stand together above what differs in them."""
        first = group.occurrences[group.representative]
        exact = group.kind == "exact"
        for same in chosen_places(references_last(group, self.found.references), PLACES):
            for occurrence in same:
                likeness = "" if exact or occurrence is first else f"  {percent(occurrence.similarity)}"
                if occurrence.copies > 1:
                    likeness = f"  {times(occurrence.copies)}, one right after the other"
                yield from self.lines(self._place(occurrence, likeness), "    ")
            if not exact and same[0] is not first:
                yield from self._marked(differences(matched_text(first), matched_text(same[0])), "        ")

    def _shortened(self, text: str, blocks: int = 1) -> str:
        """A few lines of the text, whatever its script (wide characters take two columns), borders of blocks marked."""
        text = text[: 8 * TEXT_CHARS].strip()
        border = r"\n\s*\n" if blocks == 1 or re.search(r"\n\s*\n", text) else r"\n"
        text = re.sub(border, f" {self.signs.paragraph} ", text)
        short = one_line(text, TEXT_CHARS)
        wide = cell_len(short)
        return short if wide <= TEXT_CHARS else one_line(text, max(len(short) * TEXT_CHARS // wide, 20))

    def _marked(self, stretches: list[Stretch], indent: str, ends: bool = False) -> Iterator[Text]:
        """Stretches with their changes marked, the equal ones shortened; not too many of them."""
        if all(stretch.kind == "same" for stretch in stretches):
            return
        text, before = Text(), ""
        parts = list(folded(stretches, 4, ends))
        for kind, words in parts[:DIFF_STRETCHES]:
            left, right = MARKS[kind]
            text.append("" if not text or (before, kind) == ("old", "new") else " ")
            text.append_text(self.say(left + one_line(words, TEXT_CHARS) + right, STYLES[kind]))
            before = kind
        hidden = sum(kind != "same" for kind, _ in parts[DIFF_STRETCHES:])
        if hidden:
            text.append(f" ... and {count(-(-hidden // 2), 'more change')}", "dim")
        yield from self.lines(text, indent)

    def pairs(self) -> Iterator[Text]:
        if not self.found.pairs.seen:
            return
        shared = [pair for pair in self.found.pairs.items if pair.a.page != pair.b.page]
        inside = [pair for pair in self.found.pairs.items if pair.a.page == pair.b.page]
        number = 0
        for heading, pairs, sides in (("Passages that stand in both, the longest first", shared, "AB"),
                                      ("Passages that stand twice in one of them", inside, "  ")):
            if pairs:
                yield from self.heading(heading)
            for rank, pair in enumerate(pairs):
                if rank:
                    yield Text()
                number += 1
                yield from self._pair(number, pair, sides)
        yield from self.more(self.found.pairs, "passage")  # type: ignore[arg-type]

    def _pair(self, number: int, pair: Pair, sides: str) -> Iterator[Text]:
        """Both places, the measures, and the text once: of a pair that is not exact with the words that differ."""
        head = self.say(f"{number}. ", "bold cyan")
        head.append_text(self.say(_likeness(pair.kind, pair.similarity), "bold"))
        parts = [count(len(matched_text(pair.a)), "character")]
        if pair.kind != "exact":
            parts.append(f"jaccard {decimal(pair.jaccard)}")
        if pair.dice is not None and pair.evidence is not None:
            parts += [f"dice {decimal(pair.dice)}", f"evidence {pair.evidence:.1f}"]
        head.append(f" {self.signs.dot} ".join(["", *parts]))
        yield from self.lines(head, indent=4)
        for side, occurrence in ((sides[0], pair.a), (sides[1], pair.b)):
            yield from self.lines(self._place(occurrence), f"  {side} ")
        stretches = [] if pair.kind == "exact" else pair_differences(pair, self.signs.paragraph)
        if any(stretch.kind in ("old", "new") for stretch in stretches):
            yield from self._marked(stretches, "    ", ends=True)
        else:
            yield from self.lines(self.say(self._shortened(matched_text(pair.a, gap="[...]"))), "    ")

    def near_misses(self, misses: tuple[NearMiss, ...]) -> Iterator[Text]:
        """What is alike and not reported, why, and both texts."""
        yield from self.heading("Not reported, the nearest first")
        if not misses:
            yield from self.lines(self.say("Nothing else came near."), "  ")
        names = {page.id: side for page, side in zip(self.report.pages, "AB", strict=False)}
        for miss in misses[:self.top]:
            sides = [names.get(occurrence.page, "") for occurrence in (miss.a, miss.b)]
            head = self.say(f"{sides[0]} {line_range(miss.a)} and {sides[1]} {line_range(miss.b)}", "cyan")
            head.append_text(self.say(f": {why_missed(miss, self.report.options)}"))
            yield from self.lines(head, f"  {self.signs.bullet} ")
            yield from self.lines(self.say(f" {self.signs.dot} ".join(miss_measures(miss)), "dim"), "    ")
            for side, occurrence in zip(sides, (miss.a, miss.b), strict=True):
                yield from self.lines(self.say(one_line(occurrence.text, MISS_CHARS)), f"    {side} ")
        yield from self.more(max(len(misses) - self.top, 0), "near miss", "near misses")

    def _place(self, occurrence: Occurrence, likeness: str = "") -> Text:
        """File and lines, and in HTML the element: behind them where there is room for its end, else below."""
        where = self.say(place(occurrence, self.found.named)[:500], "cyan").append(likeness, "dim")
        if occurrence.page in self.found.references:
            where.append("  in REF" if self.report.index_pages is None else "  in the index", "dim")
        if occurrence.path:
            room = self.width - 6 - cell_len(where.plain)
            path = safe(one_line(occurrence.path, 2000), self.encoding)
            where.append("  ").append(short_path(path, min(room, PATH_CHARS) if room >= 16 else PATH_CHARS), "dim")
        return where

    def nothing(self) -> Iterator[Text]:
        """Kind words, and what was looked for."""
        options, s = self.report.options, self.report.summary
        unit = "page" if options.unit == "page" else "block"
        where = {"within": "within a page", "across": "across pages", "both": "within pages or across them"}[options.scope]
        where = f"between pages that differ in {one_line(options.between, 60)}" if options.between else where
        yield Text()
        if not s.pages:
            yield from self.lines(self.say("No page could be read."))
            return
        if not s.blocks:
            left = "--select and --ignore leave no text" if options.select or options.ignore else "there is no text in it"
            yield from self.lines(self.say(f"Nothing of what was read could be compared: {left}."))
            return
        if not s.compared:
            yield from self.lines(self.say(f"Nothing was long enough to be compared: every {unit} has under "
                                           f"{options.min_tokens} words (--min-tokens)."))
            return
        if self.report.left_out:
            known = count(self.report.left_out, "passage")
            yield from self.lines(self.say(f"Nothing new: {known} left out, in the baseline or not in changed files."))
            return
        alike = "equal" if options.find == "exact" else f"at least {percent(options.least_jaccard)} alike"
        is_check = self.report.index_pages is not None
        found = (f"Nothing that stands in the index too ({self._in_index()})." if is_check else
                 f"Nothing that stands in the references too ({count(s.reference_pages, 'page')})." if s.reference_pages else
                 "No page is like another one." if unit == "page" and not self.report.hidden else
                 f"No repeats found {where}." if not self.report.hidden else
                 f"No repeats found {where} but {count(self.report.hidden, 'passage')} that {hide_words(options)} hides.")
        inside = ("; inside pages nothing was looked for (--unit block)." if unit == "page" else
                  f", and for any {options.min_tokens} words in a row that stand "
                  f"{'on both sides' if is_check else 'twice'}.")
        yield from self.lines(self.say(
            f"{found} {count(s.compared, unit)} of {options.min_tokens} words or more "
            f"{'was' if s.compared == 1 else 'were'} compared; looked for {unit}s that are {alike}{inside}"))

    def _in_index(self) -> str:
        """How many pages an index holds, and how many of them were looked at."""
        return f"{count(self.report.index_pages or 0, 'page')} stored, {self.report.summary.reference_pages:,} looked at"

    # (d) What was not read or not compared.

    def troubles(self) -> Iterator[Text]:
        lost = unread(self.report.errors)
        if self.report.skipped or lost:
            yield from self.heading("Not compared")
            yield from self._lost(lost)
        if notes := [error for error in self.report.errors if error.is_note]:
            yield from self.heading("Read with a guess")
            yield from self._by_message(notes)

    def _lost(self, lost: Sequence[ReadError]) -> Iterator[Text]:
        errors = {_place_of(error) for error in lost}  # these are told with their causes
        reasons = [entry for entry in self.report.skipped
                   if entry.count > len(entry.examples) or not errors.issuperset(entry.examples)]
        for skipped in reasons[: self.top]:
            yield from self.lines(self._skipped(skipped), f"  {self.signs.dot} ")
        yield from self.more(max(len(reasons) - self.top, 0), "reason")
        yield from self._by_message(lost)

    def _by_message(self, errors: Iterable[ReadError]) -> Iterator[Text]:
        """Places, those with the same message together."""
        kinds: dict[str, list[str]] = {}
        for error in errors:
            kinds.setdefault(error.message, []).append(_place_of(error))
        for message, sources in itertools.islice(kinds.items(), self.top):
            examples = ", ".join(one_line(source, 120) for source in sources[:3])
            if len(sources) > 3:
                examples += f" and {len(sources) - 3:,} more"
            text = self.say(f"{one_line(with_flags(message), 300)}: {examples}", "red")
            yield from self.lines(text, f"  {self.signs.dot} ")
        yield from self.more(max(len(kinds) - self.top, 0), "reason")

    def _skipped(self, skipped: Skipped) -> Text:
        examples = ", ".join(one_line(example, 120) for example in skipped.examples[:3])
        hidden = skipped.count - min(len(skipped.examples), 3)
        more = f" and {hidden:,} more" if examples and hidden > 0 else ""
        return self.say(f"{skipped.count:,} skipped, {one_line(plain_reason(skipped.reason), 200)}"
                        + (f": {examples}{more}" if examples else ""))


def _place_of(error: ReadError) -> str:
    return f"{error.source}:{error.line}" if error.line else error.source


def _likeness(kind: str, similarity: float) -> str:
    """``exact``, or the kind with its percentage: what is not equal is never called so."""
    return "exact" if kind == "exact" else f"{kind} {percent(similarity)}"


__all__ = ["ReportView", "console_for", "print_report"]
