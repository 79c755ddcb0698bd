"""The groups of a fresh scan as lines of the JSON report, from columns: the bytes that ``json`` has for each as an object."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.kernel import kernel
from dedup.report.json import encode
from dedup.report.rows import (
    JSON,
    KIND_NAMES,
    RAW,
    TRUTHS,
    Field,
    Strings,
    batches,
    floats,
    lists,
    number,
    of_some,
    pool,
    said,
    text,
    written,
)

if TYPE_CHECKING:
    from dedup.findings import Findings, GroupColumns

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
PIECE = 20_000  # places of one group that are written at a time


def group_lines(findings: Findings) -> Iterator[memoryview]:
    """All groups, a line each, a comma and a line feed before each, some together, the first of them without the comma."""
    skip = 1
    for pieces in batches(findings, lambda columns: group_pieces(findings, columns)):
        for piece in pieces:
            yield piece[skip:]
            skip = 0


def group_pieces(findings: Findings, columns: GroupColumns) -> list[memoryview]:
    """Some groups, each as ``json.group_object`` has it; one of very many places in pieces, which are copied nowhere."""
    first = columns.first
    before, after = _heads(findings, columns)
    if len(first) == 2 and first[-1] > PIECE:
        edges = [*range(0, int(first[-1]), PIECE), int(first[-1])]
        places = [_occurrences(findings, columns.part(a, b), columns.lead_text(findings.corpus.text))[0]
                  for a, b in itertools.pairwise(edges)]
        return [data.data for data in (written(before)[0], places[0][1:], *places[1:], written(after)[0])]
    rows = _occurrences(findings, columns, columns.lead_text(findings.corpus.text))
    return [written([*before, text(RAW, b"", lists(first, rows)), *after])[0].data]


def _heads(findings: Findings, columns: GroupColumns) -> tuple[list[Field], list[Field]]:
    """What stands in a group before its occurrences, and what behind them."""
    heads, every = columns.heads, np.ones(len(columns.first) - 1, bool)
    counts = np.add.reduceat(columns.places.copies, columns.first[:-1])
    period, related = of_some(heads.period, heads.id, encode), of_some(heads.related, heads.id, lambda ids: encode(ids)[1:-1])
    before = [
        number(b',\n{"id":', heads.id), text(RAW, b',"kind":"', Strings.of(KIND_NAMES, heads.kind.astype(np.int64)), b'"'),
        text(RAW, b',"similarity":', floats(heads.similarity, encode)),
        text(RAW, b',"tokens":', floats(heads.tokens, encode)), number(b',"blocks":', heads.blocks),
        text(JSON, b',"text":"', Strings(*columns.lead_text(findings.corpus.text)), b'"'),
        text(RAW, b',"related":[', related, b"]", b',"related":[]'),
        text(RAW, b',"truncated":', Strings.of(TRUTHS, heads.truncated.astype(np.int64))), said(b',"occurrences":[', every)]
    after = [
        said(b"]", every), number(b',"representative":', np.where(heads.lead > 0, heads.lead, -1)),
        number(b',"part_of":', heads.part_of), text(RAW, b',"period":', period),
        number(b',"count":', np.where(period.start < 0, -1, counts)), said(b"}", every)]
    return before, after


def _occurrences(findings: Findings, columns: GroupColumns, lead_text: tuple[U8, I64, I64]) -> tuple[U8, I64]:
    """The places of all groups, a comma before each."""
    c, m = columns.places, columns.measured
    texts = Strings(findings.corpus.text, c.text_start, c.text_end)
    owner = np.repeat(np.arange(len(columns.first) - 1), np.diff(columns.first))
    own_text = kernel.equal_bytes(*texts, lead_text[1][owner], lead_text[2][owner]) == 0
    likeness = ((b',"similarity":', m.similarity), (b',"jaccard":', m.jaccard), (b',"containment":', m.containment),
                (b',"indel_similarity":', m.indel))
    return written([
        text(JSON, b',{"page":"', Strings.of(findings.places.ids, c.page), b'"'), number(b',"start":', c.start),
        number(b',"end":', c.end), number(b',"source_start":', c.source_start, b',"source_start":null'),
        number(b',"source_end":', c.source_end, b',"source_end":null'), number(b',"line":', c.line),
        number(b',"end_line":', c.end_line),
        text(JSON, b',"path":"', Strings.of(pool([path.encode("utf-8", "surrogatepass") for path in c.paths]), c.path), b'"',
             b',"path":null'),
        text(RAW, b',"parts":[', _parts(findings, c.row).where(c.parted), b"]", b',"parts":null'),
        text(JSON, b',"text":"', texts.where(own_text), b'"'),
        *(text(RAW, name, floats(column, encode)) for name, column in likeness),
        said(b',"source_exact":false', ~c.source_exact), number(b',"copies":', np.where(c.copies > 1, c.copies, -1)),
        text(RAW, b',"dice":', floats(m.dice, encode)), text(RAW, b',"evidence":', floats(m.evidence, encode)),
        said(b"}", np.ones(len(c.page), bool))])


def _parts(findings: Findings, rows: I64) -> Strings:
    """The matched stretches of places."""
    places = findings.places
    part, first = kernel.take_ranges(places.parts.first, rows)
    return lists(first, written([number(b",[", places.part_start[part]), number(b",", places.part_end[part]),
                                 said(b"]", np.ones(len(part), bool))]))
