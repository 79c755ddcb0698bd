"""Every setting, written once: API keywords, CLI flags and documentation are made from these fields."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from dedup.errors import OptionError

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
LEAST_MEMORY = 128 << 20  # bytes: the interpreter, its libraries and what the threads work on

LEFT_OUT = ("code", "front-matter")
VERDICTS = ("rendered-twice", "teaser", "navigation", "refrain", "template", "shared")  # of passages
LISTED = {"leave_out", "hide"}  # settings whose values may be written with commas between

Unit = Literal["block", "page"]
Find = Literal["exact", "near", "reworded"]
Noise = Literal["ocr"]
Scope = Literal["within", "across", "both"]
FieldFormat = Literal["text", "html", "markdown"]
Engine = Literal["local", "spark"]
InputFormat = Literal["text", "html", "markdown", "mdx", "rst", "asciidoc", "notebook", "jsonl", "csv", "tsv", "parquet",
                      "arrow", "warc"]


def setting(default: Any, doc: str, *, min: float | None = None, max: float | None = None, group: str = "find",
            result: bool = True) -> Any:
    """A dataclass field with its documentation and range.

    Args:
        default: Value where nothing is set.
        doc: One line for ``--help`` and the documentation.
        min, max: Inclusive bounds of a number.
        group: Heading under which the setting is listed: "find", "read", "run" or "report".
        result: Whether it changes results; those that do stand in the report's ``options``.
    """
    metadata = {"doc": doc, "min": min, "max": max, "group": group, "result": result}
    if isinstance(default, list):
        raise TypeError("use a tuple")
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All settings of ``scan`` and ``compare``; the CLI's flags have the same names with hyphens."""

    unit: Unit = setting("block", "what is compared: blocks and passages, or whole pages")
    find: Find = setting("near", "exact: equal blocks and repeated runs only; near: edited blocks and passages too; "
                                 "reworded: reworded passages too (default of compare)")
    threshold: float | None = setting(
        None, "least Jaccard similarity to be found; default 0.5 for blocks, 0.8 for pages", min=0.1, max=1.0)
    exhaustive: bool = setting(False, "miss nothing at or above the threshold (exact join instead of LSH)")
    min_tokens: int = setting(8, "least length in words; a character of a script without spaces counts half",
                              min=2, max=1000)
    min_chars: int = setting(0, "least length in characters", min=0, max=1_000_000)
    min_similarity: float = setting(0.0, "hide places less alike than this (filters what was found)", min=0.0,
                                    max=1.0)
    shingle_size: int | None = setting(None, "tokens in one shingle; default 2 for blocks, 5 for pages", min=1,
                                       max=64)
    min_evidence: float = setting(7.0, "least evidence of an edited passage: what both sides share beyond chance, in rare "
                                       "words", min=0.0, max=1_000_000.0)
    min_dice: float = setting(0.42, "least weighted share of words that both sides of an edited passage have", min=0.0,
                              max=1.0)
    max_places: int = setting(64, "a seed of edited passages that stands in more places makes no pairs of its own", min=2,
                              max=10_000)
    noise: Noise | None = setting(None, "ocr: scanned text; edited passages are found by runs of letters, whatever the "
                                        "spaces, and words are joined that hyphens cut at line ends")
    stem: str | None = setting(None, "language of the text: compare words of edited passages by their stems, not by their "
                                     "first letters (extra stem)")
    scope: Scope = setting("both", "repeats within one page, across pages, or both")
    between: str | None = setting(None, "only pairs of pages that differ in a field, which is carried into the report; or in "
                                        "host (of the url) or folder")
    fold_accents: bool = setting(False, "treat é as e")
    fold_digits: bool = setting(False, "treat all digits alike")
    seed: int = setting(0, "seed of the sketches", min=0, max=2**63 - 1)

    text_field: str | None = setting(
        None, "field that holds a record's text, dotted for nested ones; default text, content or body",
        group="read")
    id_field: str | None = setting(None, "field that holds a record's id; default id or url", group="read")
    meta: tuple[str, ...] = setting((), "fields to carry into the report", group="read")
    field_format: FieldFormat = setting("text", "what the text field holds", group="read")
    input_format: InputFormat | None = setting(None, "format of the input, where content and suffix do not say it",
                                               group="read")
    include: tuple[str, ...] = setting((), "read only files that match (gitignore style)", group="read")
    exclude: tuple[str, ...] = setting((), "leave out files that match (gitignore style)", group="read")
    select: tuple[str, ...] = setting((), "HTML: read only elements that match this CSS selector", group="read")
    ignore: tuple[str, ...] = setting((), "HTML: leave out elements that match this CSS selector", group="read")
    leave_out: tuple[str, ...] = setting((), "HTML, Markdown: leave out blocks of these kinds: code, front-matter (comma "
                                             "between)", group="read")
    ignored_too: bool = setting(False, "compare what dedup:ignore comments leave out, too", group="read")
    max_page_bytes: int = setting(256_000_000, "a page or record longer than this is skipped, by name", min=1_000,
                                  max=2**40, group="read")

    threads: int | None = setting(None, "threads and worker processes; default: one a core", min=1, max=1024,
                                  group="run", result=False)
    partitions: int | None = setting(
        None, "partitions of the exchange; changes memory, never results; default: by size", min=1, max=65_536,
        group="run", result=False)
    memory: str | None = setting(
        None, "memory of the process, like 512M or 2G; what has no room goes to a file; default: half of the machine's",
        group="run", result=False)
    temp_dir: str | None = setting(None, "folder of that file; default: where temporary files are", group="run", result=False)
    checkpoint: str | None = setting(
        None, "scan: folder where finished stages are kept until it ends; the same scan goes on from there if it was killed",
        group="run", result=False)

    engine: Engine = setting("local", "scan: where it runs: on this machine, or on Apache Spark with the same result (extra "
                                      "spark)", group="run", result=False)
    master: str | None = setting(None, "Spark's master, like local[4] or spark://host:7077; default: what spark-submit says, "
                                       "else this machine", group="run", result=False)

    template_pages: int = setting(3, "least pages of a site that carry a passage of its template", min=2, max=1_000_000,
                                  group="report")
    template_share: float = setting(0.2, "least share of a site's pages that carry a passage of its template", min=0.0,
                                    max=1.0, group="report")
    template_in: Literal["all", "html"] = setting(
        "all", "which pages may carry a site's template: all, or html only, as what sources repeat was written by hand",
        group="report")
    hide: tuple[str, ...] = setting((), "leave passages with these verdicts out of the report and its figures (comma "
                                        "between)", group="report")
    fold_parts: bool = setting(False, "tell a passage beneath another one of which most of its places are a part",
                               group="report")
    pairs: bool = setting(False, "list every verified pair in the report", group="report")
    with_text: bool = setting(False, "put each page's text into the report", group="report")

    def __post_init__(self) -> None:
        hints = _hints()
        for field in dataclasses.fields(self):
            if (value := getattr(self, field.name)) is not field.default:
                _check_value(field, hints[field.name], value)
        for name, known in (("leave_out", LEFT_OUT), ("hide", VERDICTS)):
            for value in getattr(self, name):
                if value not in known:
                    raise OptionError(f"{value!r} is not one of {', '.join(known)}", name)
        if self.memory is not None:
            memory_bytes(self.memory)
        if self.unit == "page" and self.scope == "within":
            raise OptionError("whole pages do not repeat within one page", "scope", "Use across or both, or unit=block.")
        if self.between is not None and self.scope == "within":
            raise OptionError("a page does not differ from itself", "between", "Use it with scope across or both.")
        if self.noise and self.stem:
            raise OptionError("scanned text is compared by its letters, not by its words", "stem, noise",
                              "Leave one of them out.")

    @property
    def least_jaccard(self) -> float:
        """The threshold in force: 0.5 for blocks, 0.8 for pages, unless set."""
        return self.threshold if self.threshold is not None else (0.8 if self.unit == "page" else 0.5)

    @property
    def shingle_tokens(self) -> int:
        """The shingle size in force: 2 for blocks, 5 for pages, unless set."""
        return self.shingle_size if self.shingle_size is not None else (5 if self.unit == "page" else 2)

    @property
    def carried(self) -> tuple[str, ...]:
        """Fields of a page that are carried into the report: those of `meta`, and that of `between`."""
        return self.meta if self.between is None or self.between in self.meta else (*self.meta, self.between)

    @property
    def asked_fields(self) -> tuple[str, ...]:
        """Fields that are asked for by name beside the text: where none has one, a message names those that there are."""
        return (*self.carried, *filter(None, [self.id_field]))

    @property
    def gram_tokens(self) -> int:
        """Tokens of the grams by which exact repeats are found: 8; fewer only where ``min_tokens`` asks for it."""
        return min(8, self.min_tokens)

    def results(self) -> dict[str, Any]:
        """The settings that change results, with defaults filled in: what a report records."""
        named = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.metadata["result"]}
        named |= {"threshold": self.least_jaccard, "shingle_size": self.shingle_tokens}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in named.items()}


@functools.cache
def _hints() -> dict[str, Any]:
    """The types of the settings: to find them takes as long as a small scan's search."""
    return get_type_hints(Options)


def memory_bytes(text: str, name: str = "memory", least: int = LEAST_MEMORY) -> int:
    """Bytes of "512M", "2G", "1.5 GiB" or "2000000000"; the units are those of 1024.

    Args:
        name: What it is given as.
        least: The fewest that are enough.

    Raises:
        OptionError: It is no such size, or too little for anything.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if found is None:
        raise OptionError(f"{text!r} is not a size", name, "Write it like 512M or 2G.")
    size = int(float(found[1]) * UNITS[found[2].upper()])
    if size < least:
        raise OptionError(f"{text} is too little", name, f"The least is {least >> 20}M.")
    return size


def make_options(settings: Mapping[str, Any], caller: str = "scan") -> Options:
    """Options from keywords, with an answer for misspelt ones.

    Raises:
        TypeError: A keyword that is no setting; the message names the nearest one.
        OptionError: A value out of its range.
    """
    names = [f.name for f in dataclasses.fields(Options)]
    for name in settings:
        if name not in names:
            raise TypeError(f"{caller}() got an unexpected keyword argument {name!r}{did_you_mean(name, names)}")
    tuples = {f.name for f in dataclasses.fields(Options) if isinstance(f.default, tuple)}
    values: dict[str, Any] = {name: _as_tuple(value) if name in tuples else _plain(value)
                              for name, value in settings.items()}
    for name in LISTED & values.keys():
        values[name] = tuple(part.strip() for value in values[name] for part in str(value).split(",") if part.strip())
    if isinstance(values.get("memory"), int):
        values["memory"] = str(values["memory"])
    for name in ("temp_dir", "checkpoint"):
        if isinstance(values.get(name), os.PathLike):
            values[name] = os.fspath(values[name])
    return Options(**values)


# What a setting names that may not be empty; a field where it stands not here.
EMPTY = {"stem": "language", "memory": "size", "temp_dir": "folder", "checkpoint": "folder"}

# What peers call our settings: text-dedup, datasketch, jscpd, rensa, passim.
PEER_NAMES = {
    "ngram": "shingle_size", "ngram_size": "shingle_size", "n_gram": "shingle_size", "ngrams": "shingle_size",
    "column": "text_field", "content_field": "text_field", "text_column": "text_field", "text_key": "text_field",
    "min_words": "min_tokens", "jobs": "threads", "workers": "threads", "num_workers": "threads",
    "num_proc": "threads", "jaccard_threshold": "threshold", "fields": "meta",
    "idx": "id_field", "id_column": "id_field", "jaccard": "threshold", "similarity_threshold": "threshold",
}

# What peers let people set and we do not; {} is where our setting's name goes.
PEER_HINTS = {
    "num_perm": ("the sketch size follows from the threshold: use {}", "threshold"),
    "bands": ("bands and rows follow from the threshold: use {}", "threshold"),
    "rows": ("bands and rows follow from the threshold: use {}", "threshold"),
    "min_lines": ("lengths are counted in words here, not in lines: use {}", "min_tokens"),
    "min_length": ("lengths are counted in words here: use {}", "min_tokens"),
    "min_size": ("lengths are counted in words here: use {}", "min_tokens"),
    "similarity": ("what is to be found is set by {}", "threshold"),
}


NEAR = 0.75  # likeness from which a name is taken for another one mistyped: scna is scan, foo is not for


def did_you_mean(name: str, names: list[str], spell: Callable[[str], str] = repr) -> str:
    """The end of an error message that names the setting probably meant, or nothing.

    Args:
        name: What was written.
        names: What could have been meant.
        spell: How a setting is written where the message is read.
    """
    plain = name.strip("-").replace("-", "_").lower()
    hint, setting = PEER_HINTS.get(plain) or ("here it is called {}", PEER_NAMES.get(plain, ""))
    if setting in names:
        return f"; {hint.format(spell(setting))}"
    begun = [name for name in names if len(plain) > 3 and name.startswith(plain)]
    near = difflib.get_close_matches(plain, names, 1, NEAR) or begun
    return f"; did you mean {spell(near[0])}?" if near else ""


def _plain(value: Any) -> Any:
    """A NumPy number as Python's."""
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _check_value(field: dataclasses.Field[Any], hint: Any, value: Any) -> None:
    if value is None and type(None) in get_args(hint):
        return
    flag = field.name
    kinds = [a for a in (get_args(hint) if get_origin(hint) is not Literal else [hint]) if a is not type(None)]
    literal = hint if get_origin(hint) is Literal else next((k for k in kinds if get_origin(k) is Literal), None)
    if literal is not None:
        if value not in get_args(literal):
            raise OptionError(f"{value!r} is not one of {', '.join(map(str, get_args(literal)))}", flag)
        return
    base = type(field.default) if field.default is not None else (kinds[0] if kinds else hint)
    if base is bool or base is str or base is tuple:
        if not isinstance(value, base):
            raise OptionError(f"{value!r} is not a {base.__name__}", flag)
        if value == "":
            raise OptionError("is empty", flag, f"Name a {EMPTY.get(flag, 'field')}, or leave it out.")
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (base is int and not isinstance(value, int)):
        raise OptionError(f"{value!r} is not {'a whole number' if base is int else 'a number'}", flag)
    low, high = field.metadata["min"], field.metadata["max"]
    if not low <= value <= high:
        share = f" Did you mean {value / 100:g}?" if high == 1 < value and low <= value / 100 <= high else ""
        raise OptionError(f"{value} is out of range", flag, f"Use {low} to {high}.{share}")
