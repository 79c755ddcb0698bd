"""The groups of a fresh scan as lines of the JSON report, from columns: the bytes that ``json`` has for each as an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.groups import KINDS
from dedup.kernel import kernel
from dedup.report.json import encode
from dedup.report.rows import JSON, RAW, Strings, batches, floats, lists, number, of_some, pool, said, text, written

if TYPE_CHECKING:
    from dedup.findings import Findings, GroupColumns

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
_KINDS, _FLAGS = pool([kind.encode() for kind in KINDS]), pool([b"false", b"true"])


def group_lines(findings: Findings) -> Iterator[bytes]:
    """All groups, a line each, a comma and a line feed before each, some together."""
    return batches(findings, lambda columns: group_bytes(findings, columns))


def group_bytes(findings: Findings, columns: GroupColumns) -> bytes:
    """Some groups, each as ``json.group_object`` has it."""
    heads, first = columns.heads, columns.first
    lead = first[:-1] + heads.lead
    texts = Strings(findings.corpus.text, columns.places.text_start, columns.places.text_end)
    lead_text = Strings(texts.data, texts.start[lead], texts.end[lead])
    counts = np.add.reduceat(columns.places.copies, first[:-1])
    period, related = of_some(heads.period, heads.id, encode), of_some(heads.related, heads.id, lambda ids: encode(ids)[1:-1])
    rows, _ = written([
        number(b',\n{"id":', heads.id), text(RAW, b',"kind":"', Strings.of(_KINDS, heads.kind.astype(np.int64)), b'"'),
        text(RAW, b',"similarity":', floats(heads.similarity, encode)),
        text(RAW, b',"tokens":', floats(heads.tokens, encode)), number(b',"blocks":', heads.blocks),
        text(JSON, b',"text":"', lead_text, b'"'),
        text(RAW, b',"related":[', related, b"]", b',"related":[]'),
        text(RAW, b',"truncated":', Strings.of(_FLAGS, heads.truncated.astype(np.int64))),
        text(RAW, b',"occurrences":[', lists(first, _occurrences(findings, columns, texts, lead_text)), b"]"),
        number(b',"representative":', np.where(heads.lead > 0, heads.lead, -1)), number(b',"part_of":', heads.part_of),
        text(RAW, b',"period":', period), number(b',"count":', np.where(period.start < 0, -1, counts)),
        said(b"}", np.ones(len(counts), bool))])
    return rows.tobytes()


def _occurrences(findings: Findings, columns: GroupColumns, texts: Strings, lead_text: Strings) -> tuple[U8, I64]:
    """The places of all groups, a comma before each."""
    c, m = columns.places, columns.measured
    owner = np.repeat(np.arange(len(columns.first) - 1), np.diff(columns.first))
    own_text = kernel.equal_bytes(*texts, lead_text.start[owner], lead_text.end[owner]) == 0
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
