"""What JSONL, CSV, Parquet and Arrow share: which fields of a record are its text, id and meta data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from dedup.model import NO_META, Page
from dedup.options import Options
from dedup.readers.files import Found
from dedup.readers.jobs import Job
from dedup.readers.reading import Pending, Reading, host_of

TEXT_FIELDS = ("text", "content", "body")
ID_FIELDS = ("id", "url")
_MISSING = object()
_LISTED = 20  # fields that a message names


def text_fields(options: Options) -> tuple[str, ...]:
    """Fields that may hold the text; the first one present does."""
    return (options.text_field,) if options.text_field else TEXT_FIELDS


def id_fields(options: Options) -> tuple[str, ...]:
    """Fields that may hold the id."""
    return (options.id_field,) if options.id_field else ID_FIELDS


def columns_of(options: Options) -> set[str]:
    """Columns of a table that are needed; of nested fields the outermost."""
    names = {*text_fields(options), *id_fields(options), "url", *options.carried}
    return names | {name.split(".")[0] for name in names}


def look_up(record: Mapping[str, Any], name: str) -> Any:
    """A field of a record, by its name or by a dotted path into nested ones; ``_MISSING`` where there is none.

    >>> look_up({"a": {"b": 1}}, "a.b"), look_up({"a.b": 2}, "a.b")
    (1, 2)
    """
    if name in record:
        return record[name]
    value: Any = record
    for step in name.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return _MISSING
        value = value[step]
    return value


def no_field(names: Iterable[str], there: Iterable[str]) -> str:
    """The message for a record or table without a text field.

    >>> no_field(["text", "content", "body"], ["doc_id"])
    'no field text, content or body (there are: doc_id); name one with text_field'
    """
    *others, last = map(shown_field, names)
    asked = f"{', '.join(others)} or {last}" if others else last
    return f"no field {asked} ({fields_there(there)}); name one with text_field"


def fields_there(there: Iterable[str]) -> str:
    """Which fields there are, as a message lists them.

    >>> fields_there(["text", "my id "])
    "there are: text, 'my id '"
    """
    known = [shown_field(str(name)) for name in there]
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"there are: {', '.join(known[:_LISTED]) or 'none'}{more}"


def shown_field(name: str) -> str:
    """A field's name as a message shows it: in quotes, escaped, where it could be misread."""
    return name if name.isprintable() and not set(name) & set("\"'\\,") and name == name.strip() != "" else repr(name)


class Records:
    """Makes pages of the records of one file."""

    def __init__(self, reading: Reading) -> None:
        options = reading.options
        self.reading = reading
        self.texts, self.ids, self.meta = text_fields(options), id_fields(options), options.carried
        self.form = options.field_format
        self._longest = options.max_page_bytes
        self._look = bool(options.asked_fields)  # at the names of the first record's fields

    def page(self, record: Any, line: int | None, number: int) -> Page | Pending | None:
        """A record's page, or ``None`` with a note.

        Args:
            line: Its line in the file, from 1, where it has one.
            number: What names it where it has no id: its line or row.
        """
        if not isinstance(record, Mapping):
            self.reading.fail(line, f"{row_name(line, number, None)}is {_type_name(record)}, not an object; skipped",
                              "record is no object")
            return None
        if self._look:
            self.saw(record)
        text = next((value for name in self.texts if (value := look_up(record, name)) is not _MISSING), _MISSING)
        found = (look_up(record, name) for name in self.ids)
        id_ = next((value for value in found if value is not _MISSING and value is not None), None)
        if text is _MISSING:
            self.reading.fail(line, f"{row_name(line, number, id_)}{no_field(self.texts, record)}; skipped",
                              "text field missing")
            return None
        meta = {name: value for name in self.meta if (value := look_up(record, name)) is not _MISSING}
        return self.make(text, id_, record.get("url"), meta, line, number)

    def saw(self, fields: Iterable[Any]) -> None:
        """Remember the names of a record's fields, once: a message may have to name them."""
        if self._look:
            self.reading.notes.saw(fields)
        self._look = False

    def make(self, text: Any, id_: Any, url: Any, meta: Mapping[str, Any], line: int | None,
             number: int) -> Page | Pending | None:
        """A page of a record's fields, or ``None`` with a note."""
        if not isinstance(text, str):
            self.reading.fail(line, f"{row_name(line, number, id_)}the text is {_type_name(text)}, not a string; skipped",
                              "text is no string")
            return None
        text = str(text)  # a subclass of str is a text too
        if len(text) > self._longest:
            self.reading.too_long(line, f"{row_name(line, number, id_)}the record")
            return None
        if self.form == "text":
            return self.head(id_, url, meta, line, number, text)
        return Pending(self.head(id_, url, meta, line, number), Job(self.form, text.encode("utf-8", "surrogatepass"), "str"))

    def head(self, id_: Any, url: Any, meta: Mapping[str, Any], line: int | None, number: int, text: str = "") -> Page:
        """A page of a record's fields."""
        file = self.reading.file
        name = record_name(id_, file, number)
        address = url if isinstance(url, str) else None
        site = (host_of(address) if address else "") or file.site
        return Page(name, text, file.place, None, meta or NO_META, address, line or number, True, None, site, number)


def record_name(id_: Any, file: Found, number: int) -> str:
    """A record's id: its own, or its file's name and its number there (see ``Page.number``)."""
    if id_ is None or id_ == "":
        return f"{file.name}#{number}"
    return json.dumps(id_, ensure_ascii=False, default=str) if isinstance(id_, (bool, dict, list)) else str(id_)


def row_name(line: int | None, number: int, id_: Any) -> str:
    """How a message names a record that has no line: by its number, or where rows have none (-1) by its id."""
    return "" if line is not None else f"row {number:,}: " if number >= 0 else f"row with id {id_!r}: "


def _type_name(value: Any) -> str:
    """What people call the type of a JSON value."""
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object",
             str: "a string"}
    return names.get(type(value), f"of type {type(value).__name__}")
