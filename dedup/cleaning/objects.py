"""What a program holds in its hands, cleaned in memory: texts, mappings, pages, Arrow tables."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

from dedup.cleaning.pieces import Gone, without
from dedup.cleaning.records import Cutter, Drop, Edits, Leave, checked_cuts, ignore, not_found, plain_cuts
from dedup.model import Page
from dedup.options import Options
from dedup.readers.tables import text_fields


def clean_objects(objects: Iterable[Any], edits: Edits, options: Options, cutter: Cutter = plain_cuts,
                  leave: Leave = ignore) -> Iterator[Any]:
    """New objects without what goes; those that go as a whole are left out, those that nothing goes of are the old ones.

    Args:
        objects: Texts, mappings with a text field, or pages, in the order in which they were read.
        edits: What goes, by ``Page.number``: index and 1.

    Yields:
        Texts; copies of mappings, in which only the text field differs; pages, without their layout.
    """
    missing = set(edits)
    for number, thing in enumerate(objects, 1):
        edit = edits.get(number)
        missing.discard(number)
        if edit is None:
            yield thing
        elif not isinstance(edit, Drop):
            yield _cleaned(thing, number, edit, options, cutter, leave)
    if missing:
        raise not_found(min(missing), "object")


def _cleaned(thing: Any, number: int, edit: Sequence[Gone], options: Options, cutter: Cutter, leave: Leave) -> Any:
    """A copy of an object without what goes of its text."""
    def cut(text: Any) -> str:
        if not isinstance(text, str):
            raise not_found(number, "object")
        cuts = checked_cuts(text, edit, cutter, lambda _: "")
        for entry in cuts.left:
            leave(number, entry)
        return without(text, cuts.cuts)

    if isinstance(thing, str):
        return cut(thing)
    if isinstance(thing, Page):
        return replace(thing, text=cut(thing.text), layout=None)
    path = next((path for name in text_fields(options) if (path := _path(thing, name))), None)
    if path is None:
        raise not_found(number, "object")
    return _with(thing, path, cut)


def _path(record: Any, name: str) -> list[str] | None:
    """The steps to a field, as `dedup.readers.tables.look_up` goes; ``None`` where it is not there."""
    if not isinstance(record, Mapping):
        return None
    if name in record:
        return [name]
    value: Any = record
    for step in name.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return name.split(".")


def _with(record: Mapping[str, Any], path: Sequence[str], change: Any) -> Any:
    """A copy of a mapping with one value changed; of a mapping that cannot be written to a dict."""
    out: Any = copy.copy(record) if isinstance(record, MutableMapping) else dict(record)
    first, *rest = path
    out[first] = _with(record[first], rest, change) if rest else change(record[first])
    return out
