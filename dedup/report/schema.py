"""JSON Schemas (2020-12) of what is written, made from the model: a report, a line of a manifest, a row of a table.

They are open: a version of the same format may add keys. `closed` ones are for tests, which hold that nothing is written
that the model does not know. docs/schema/ holds them as files; ``scripts/make_schema.py`` writes these.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from dedup import model
from dedup.annotate import REPETITION, SHARES
from dedup.cleaning import manifest
from dedup.options import Options
from dedup.report.json import FORMAT
from dedup.report.page_table import COLUMNS, SPAN_FIELDS
from dedup.report.page_table import FORMAT as PAGES_FORMAT
from dedup.report.tables import TABLES

Schema = dict[str, Any]
SchemaName = Literal["report", "manifest", "pages", "groups", "occurrences"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FORMATS: dict[SchemaName, str] = {"report": FORMAT, "manifest": manifest.FORMAT, "pages": PAGES_FORMAT,
                                  "groups": "dedup-groups/1", "occurrences": "dedup-occurrences/1"}
_MODEL = (model.Summary, model.PageReport, model.Group, model.Pair, model.NearMiss, model.Skipped, model.ReadError,
          model.Cause)
# What is not always written; all other fields are.
_SOMETIMES: dict[str, set[str]] = {
    "Summary": {"reference_pages"}, "PageReport": {"text", "reference", "lines"},
    "Group": {"representative", "period", "part_of", "count"},
    "Occurrence": {"text", "source_exact", "dice", "evidence", "copies"}, "Pair": {"dice", "evidence", "opcodes"}}
_SHARE = re.compile(r"(?:.*_share|.*similarity|jaccard|containment(?:_[ab])?|dice)\Z")
_NULLABLE = {"row", "title", "kept_page", "verdict", "period", "part_of", "source_start", "source_end", "path", "dice",
             "evidence", *SHARES, *REPETITION}  # columns


def schema(name: SchemaName, closed: bool = False) -> Schema:
    """The schema of a report, or of one line of the other formats.

    Args:
        name: ``report``, ``manifest``, or a table of JSON Lines: ``pages``, ``groups``, ``occurrences``.
        closed: Allow no keys but those that are known.
    """
    made = {"report": _report, "manifest": _manifest}.get(name, lambda: _table(name))()
    form = FORMATS[name]
    whole: Schema = {"$schema": DIALECT, "$id": f"{form.replace('/', '-')}.schema.json", "title": form} | made
    return _closed(whole) if closed else whole


def file_name(name: SchemaName) -> str:
    """The name of the file that holds it in docs/schema/."""
    return f"{FORMATS[name].replace('/', '-')}.schema.json"


# The report.


def _report() -> Schema:
    _, defs = msgspec.json.schema_components(_MODEL, ref_template="#/$defs/{name}")
    for kind in _with_parts(_MODEL):
        defs[kind.__name__] = _described(defs[kind.__name__], kind)
    defs["Group"]["properties"]["count"] = {"type": "integer", "minimum": 2, "description": (
        "How often the text stands; written where it follows itself in an occurrence, else it is the number of occurrences")}
    defs["Pair"]["properties"]["opcodes"] = {"type": "array", "items": _opcode(), "description": (
        "In a comparison: the word diff, (tag, a0, a1, b0, b1) in code points of the two texts")}
    lists = {"pages": ("PageReport", "One of each page, in order"), "groups": ("Group", "What stands more than once"),
             "pairs": ("Pair", "Every verified link: in a comparison, or where it was asked for"),
             "near_misses": ("NearMiss", "In a comparison that was to explain: what is alike and not reported"),
             "skipped": ("Skipped", "What was read and not compared"), "errors": ("ReadError", "What could not be read"),
             "causes": ("Cause", "Why many pages of a site repeat the same")}
    properties: Schema = {
        "format": {"const": FORMAT}, "version": {"type": "string", "description": "Version of dedup that wrote it"},
        "input_digest": {"type": "string", "description": "Digest of all that was read"}, "options": _options(),
        "summary": {"$ref": "#/$defs/Summary"},
        "left_out": {"type": "integer", "minimum": 1, "description": (
            "Groups that were found and are not here: known ones, and such as touch nothing that has changed")},
        "hidden": {"type": "integer", "minimum": 1, "description": (
            "Groups that were found and are not here, as the setting hide leaves them out")},
        **{key: {"type": "array", "items": {"$ref": f"#/$defs/{kind}"}, "description": text}
           for key, (kind, text) in lists.items()}}
    return {"description": "All that one scan or comparison found.", "type": "object", "properties": properties,
            "required": [key for key in properties if key not in ("left_out", "hidden", "pairs", "near_misses")],
            "$defs": dict(sorted(defs.items()))}


def _with_parts(kinds: tuple[type, ...]) -> list[type]:
    """Dataclasses, and those that their fields hold."""
    found: dict[type, None] = {}

    def add(hint: Any) -> None:
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            if hint not in found:
                found[hint] = None
                for part in get_type_hints(hint).values():
                    add(part)
        elif get_origin(hint) in (tuple, list, Union, types.UnionType):
            for part in get_args(hint):
                add(part)
    for kind in kinds:
        add(kind)
    return list(found)


def _described(made: Schema, kind: type) -> Schema:
    """A definition with the words of the class's docstring, its ranges, and what is always written."""
    summary, attributes = _words(kind)
    properties = {}
    for name, value in made["properties"].items():
        field = {key: part for key, part in value.items() if key != "default"}
        properties[name] = _ranged(name, field) | ({"description": attributes[name]} if name in attributes else {})
    sometimes = _SOMETIMES.get(kind.__name__, set())
    return {"title": kind.__name__, "description": summary, "type": "object", "properties": properties,
            "required": [name for name in properties if name not in sometimes]}


def _ranged(name: str, field: Schema) -> Schema:
    """A field with the range of its numbers."""
    if "anyOf" in field:
        return field | {"anyOf": [_ranged(name, part) for part in field["anyOf"]]}
    if field.get("type") == "number":
        return field | {"minimum": 0} | ({"maximum": 1} if _SHARE.match(name) else {})
    if field.get("type") == "integer":
        return field | {"minimum": 0}
    return field


_ENTRY = re.compile(r"^ {4}(\w+(?:, \w+)*): (.+(?:\n {8}.+)*)", re.M)


def _words(kind: type) -> tuple[str, dict[str, str]]:
    """The description of a class, and of its attributes, from its docstring."""
    head, _, rest = inspect.cleandoc(kind.__doc__ or "").partition("\nAttributes:\n")
    plain = {names: " ".join(text.split()).replace("``", "`") for names, text in _ENTRY.findall(rest)}
    return " ".join(head.split()).replace("``", "`"), {
        name: text for names, text in plain.items() for name in names.split(", ")}


def _options() -> Schema:
    """The settings that change results, with defaults filled in."""
    hints = get_type_hints(Options)
    properties: Schema = {}
    for field in dataclasses.fields(Options):
        if field.metadata["result"]:
            made = _without_default(msgspec.json.schema(hints[field.name]))
            low, high = field.metadata["min"], field.metadata["max"]
            made |= {"description": field.metadata["doc"]} | ({} if low is None else {"minimum": low, "maximum": high})
            properties[field.name] = made
    for name, kind in (("threshold", "number"), ("shingle_size", "integer")):  # what is in force
        properties[name] = {key: value for key, value in properties[name].items() if key != "anyOf"} | {"type": kind}
    return {"type": "object", "description": "The settings that change results", "properties": properties,
            "required": list(properties)}


def _without_default(made: Schema) -> Schema:
    return {key: value for key, value in made.items() if key != "default"}


def _opcode() -> Schema:
    number = {"type": "integer", "minimum": 0}
    return {"type": "array", "prefixItems": [{"enum": list(get_args(model.Tag))}, number, number, number, number],
            "minItems": 5, "items": False}


# A line of the manifest, and rows of tables.


def _manifest() -> Schema:
    [line], defs = msgspec.json.schema_components([manifest.Line], ref_template="#/$defs/{name}")
    for name, made in defs.items():
        made["description"] = _words(getattr(manifest, name))[0]
    return {"description": "One line of a manifest of dedup clean.", **line, "$defs": dict(sorted(defs.items()))}


def _table(name: SchemaName) -> Schema:
    columns = COLUMNS if name == "pages" else TABLES["groups" if name == "groups" else "occurrences"]
    properties = {column: _column(column, kind) for column, kind in columns}
    return {"description": f"One row of the table of {name}, as JSON Lines; docs/page-table.md says what it holds.",
            "type": "object", "properties": properties, "required": list(properties)}


def _column(name: str, kind: str) -> Schema:
    """A column by the name of its type."""
    numbers: Schema = {"int64": {"type": "integer", "minimum": 0}, "int32": {"type": "integer", "minimum": 0},
                       "float64": _ranged(name, {"type": "number"}), "bool": {"type": "boolean"},
                       "string": {"type": "string"}, "large_string": {"type": "string"}}
    if name == "meta":
        return {"type": "object"}
    if name == "spans":
        fields = {field: _column(field, own) for field, own in SPAN_FIELDS}
        return {"type": "array", "items": {"type": "object", "properties": fields, "required": list(fields)}}
    if kind.startswith("list<"):
        return {"type": "array", "items": numbers[kind[5:-1]]}
    made: Schema = numbers[kind]
    return made | {"type": [made["type"], "null"]} if name in _NULLABLE else made


def _closed(made: Any) -> Any:
    """A schema that allows no other keys than those it names."""
    if isinstance(made, list):
        return [_closed(item) for item in made]
    if not isinstance(made, dict):
        return made
    inside = {key: _closed(value) for key, value in made.items()}
    return inside | {"additionalProperties": False} if isinstance(made.get("properties"), dict) else inside


__all__ = ["FORMATS", "SchemaName", "file_name", "schema"]
