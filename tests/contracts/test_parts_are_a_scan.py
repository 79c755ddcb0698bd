"""A scan in portions and parts gives the bytes of one machine: whatever the portions, the parts, and how texts come back."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from dedup import Report, align, lsh, scan
from dedup.api import report_of
from dedup.distributed import buckets, on_spark, parts, portions, splits, texts
from dedup.distributed import scan as scanning
from dedup.distributed.buckets import KnownOverlaps
from dedup.distributed.on_spark import report_of_places
from dedup.distributed.portions import Portion, portions_of_batches, read_portion, reading_options
from dedup.distributed.scan import scan_on
from dedup.distributed.surveyor import Places, SpreadSurveyor, block_digests
from dedup.engines.cluster import Alone, HeldHere, InProcess
from dedup.errors import InputError
from dedup.lsh import ALL_PAIRS
from dedup.options import make_options
from dedup.readers.notes import Notes
from dedup.stages import Stages
from tests.contracts.test_same_bytes import SETTINGS, folder, rendered  # noqa: F401  (a fixture)

SMALL = 20_000  # bytes of a portion and a part


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where workers keep texts."""
    path = tmp_path_factory.mktemp("kept")
    monkeypatch.setenv("SPARK_LOCAL_DIRS", str(path))
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many portions and parts of little text."""
    for module in (splits, portions):
        monkeypatch.setattr(module, "SPLIT_BYTES", SMALL)
    monkeypatch.setattr(scanning, "PART_BYTES", SMALL)
    monkeypatch.setattr(scanning, "KEYED_BYTES", SMALL)
    monkeypatch.setattr(buckets, "LONG", ALL_PAIRS + 8)
    monkeypatch.setattr(buckets, "TASK_TOKENS", SMALL // 10)
    monkeypatch.setattr(align, "BATCH_COST", SMALL // 2)


def in_parts(where: Path, **settings: Any) -> Report:
    """The report of a folder, scanned on a cluster."""
    against = [[where / settings.pop("against")]] if "against" in settings else []
    return report_of_places(InProcess(), [*against, [where]], make_options(settings, "scan"))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", [*SETTINGS, "exact pages", "exhaustive pages", "page against", "page between"])
def test_the_bytes_are_those_of_one_machine(folder: Path, name: str) -> None:  # noqa: F811
    more: dict[str, dict[str, Any]] = {
        "exact pages": {"unit": "page", "find": "exact"}, "exhaustive pages": {"unit": "page", "exhaustive": True},
        "page against": {"unit": "page", "against": "examples/site"}, "page between": {"unit": "page", "between": "folder"}}
    asked = {**SETTINGS, **more}[name]
    plain = dict(asked)
    against = {"against": folder / plain.pop("against")} if "against" in plain else {}
    assert rendered(in_parts(folder, **asked)) == rendered(scan(folder, **against, **plain))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", [
    *(name if name in ("block", "page", "exact", "against", "across") else pytest.param(name, marks=pytest.mark.soak)
      for name in SETTINGS), "exact pages"])
def test_texts_may_stay_where_they_are(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Only those of what was found come back; how pages repeat themselves is counted where they lie."""
    asked = {**SETTINGS, "exact pages": {"unit": "page", "find": "exact"}}[name]
    plain = dict(asked)
    against = {"against": folder / plain.pop("against")} if "against" in plain else {}
    whole = rendered(scan(folder, **against, **plain))
    for name_of in ("MOST_TEXT", "MOST_READ"):
        monkeypatch.setattr(scanning, name_of, 0)
    sent: list[int] = []
    send = texts.send_texts

    def counting(*args: Any, **kwargs: Any) -> Any:
        found = send(*args, **kwargs)
        sent.append(len(found[0]))
        return found
    monkeypatch.setattr(texts, "partial", lambda function, **known: partial(
        counting if function is send else function, **known))
    monkeypatch.setattr("dedup.engines.cluster._sent", lambda value: value)  # a function in a test cannot be pickled
    report = in_parts(folder, **asked)
    assert rendered(report) == whole
    assert 0 < sum(sent) <= len(report.pages)
    assert sum(sent) < len(report.pages) or name not in ("exact", "page", "exact pages")


@pytest.mark.usefixtures("small")
def test_who_asks_how_pages_repeat_themselves_reads_them_again(folder: Path, tmp_path: Path,  # noqa: F811
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whole pages only the texts of what was found come; few ask for the table of pages, that looks at all."""
    shutil.copytree(folder, tmp_path / "pages")
    whole = rendered(scan(tmp_path / "pages", unit="page"))
    brought: list[int] = []
    bring = texts.Texts.bring

    def counting(own: Any, *args: Any, **known: Any) -> None:
        bring(own, *args, **known)
        brought.append(len(own))
    monkeypatch.setattr(texts.Texts, "bring", counting)
    report = in_parts(tmp_path / "pages", unit="page")
    assert 0 < brought[-1] < len(report.pages) / 2
    assert rendered(report) == whole
    report = in_parts(tmp_path / "pages", unit="page")
    changed = max((tmp_path / "pages").rglob("*.html"), key=lambda file: file.stat().st_size)
    changed.write_text("<p>Nothing of what stood here.</p>")
    assert report.to_json()
    with pytest.raises(InputError, match="the input has changed since it was scanned"):
        rendered(report)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("unit", ["page", "block"])
def test_which_of_short_equal_pages_stays_is_said_though_they_are_in_no_group(tmp_path: Path, unit: str,
                                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["Closed today.", "closed today", "Open.", "Closed tomorrow.", " ".join(f"w{n}" for n in range(50))]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)))
    monkeypatch.setattr(scanning, "MOST_TEXT", 0)
    whole = scan(tmp_path, unit=unit)
    assert whole.keep.tolist() == [True, False, True, True, True]
    assert rendered(in_parts(tmp_path, unit=unit)) == rendered(whole)


@pytest.mark.parametrize("unit", ["page", "block"])
def test_pages_too_short_to_be_compared_are_copies_where_texts_stay(tmp_path: Path, unit: str,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal words are a copy however few they are."""
    texts = ["Not found.", "Try again later!", "not  found.", "Not here.", "Closed.", "", "Try again later!"]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)))
    whole = scan(tmp_path, unit=unit, find="exact")
    assert list(whole.keep) == [True, True, False, True, True, True, False]
    monkeypatch.setattr(scanning, "MOST_TEXT", 0)
    assert rendered(in_parts(tmp_path, unit=unit, find="exact")) == rendered(whole)


@pytest.mark.usefixtures("small")
def test_pages_that_share_nothing_are_in_no_part(tmp_path: Path) -> None:
    lines = [{"id": str(n), "text": " ".join(f"w{n}x{i}" for i in range(40))} for n in range(20)]
    lines.append({"id": "copy", "text": lines[3]["text"]})
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    options = make_options({"unit": "page"}, "scan")
    cluster, notes = InProcess(), Notes()
    held = cluster.hold(partial(read_portion, options=reading_options(options)),
                        splits.find_splits(cluster, [tmp_path], options, notes))
    corpus, numbering, digests = scanning.together(list(held.map(scanning.hear)), [notes], options, True)
    part, count, large = scanning.plan_parts(cluster, held, corpus, numbering, options, digests)
    assert (count, large.any()) == (1, False)
    assert np.flatnonzero(part >= 0).tolist() == [3, 20]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("find", ["exact", "near"])
def test_of_equal_pages_a_text_is_sent_once(tmp_path: Path, find: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of all rows are one page, others are near it or equal but for case, and the bytes are those of one machine."""
    page = " ".join(f"w{i * i % 997}" for i in range(300))
    texts = [page if n % 3 == 0 else page.upper() if n % 30 == 1 else f"{page} and so on {n}" if n % 7 == 1 else
             " ".join(f"x{n}y{i}" for i in range(100)) for n in range(300)]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)))
    monkeypatch.setattr(scanning, "PART_BYTES", 10 * SMALL)
    monkeypatch.setattr(buckets, "EIGHTH", 1)
    sizes: list[int] = []
    put = parts.with_copies

    def watched(corpus: Any, row: Any) -> Any:
        sizes.append(len(corpus.text))
        return put(corpus, row)
    monkeypatch.setattr(parts, "with_copies", watched)
    ours = in_parts(tmp_path, unit="page", find=find)
    assert rendered(ours) == rendered(scan(tmp_path, unit="page", find=find))
    assert 0 < sum(sizes) < sum(map(len, texts)) / 3


def test_what_a_part_may_look_at_is_not_left_to_what_others_leave_over(tmp_path: Path,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven copies of a page made of boilerplate that stands elsewhere too, and a long text that needs no looks at all."""
    words = iter(f"w{n}" for n in range(100_000))

    def some(count: int) -> str:
        return " ".join(next(words) for _ in range(count))
    parts = [some(9) for _ in range(60)]
    page = " ".join(f"{some(12)} {part}" for part in parts)
    texts = [f"{some(5)} {page} {some(5)}" for _ in range(7)] + [f"{some(20)} {part} {some(20)}" for part in parts]
    texts += [some(20_000)] * 2
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    monkeypatch.setattr(scanning, "PART_BYTES", 1000)
    whole = scan(tmp_path, find="exact")
    assert len(whole.groups) == 62
    assert rendered(in_parts(tmp_path, find="exact")) == rendered(whole)


def test_pages_that_share_nothing_stand_between_others(tmp_path: Path) -> None:
    """Places on pages that follow each other do not repeat at once, whatever is between them."""
    a, b = "w111", "w11"
    run = [*[a] * 4, b]
    texts = [" ".join([*run[1:], *run, a, "\u8a9e", *run, *run, a]), f"{a} {a} {a} {a}",
             " ".join([*run[:4], b + "\n\n" + a, *run, *run, *run])]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    asked = {"find": "exact", "min_tokens": 5, "fold_digits": True, "scope": "across", "pairs": True}
    assert rendered(in_parts(tmp_path, **asked)) == rendered(scan(tmp_path, **asked))


def test_words_and_characters_count_where_texts_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passages of both, whose beginnings and ends stand elsewhere too, as long as a repeat must be; and pages of one kind."""
    rng = np.random.default_rng(3)
    units = [f"w{n}" if n % 3 else chr(0x4e00 + n) for n in range(300)]
    texts = [" ".join([*(f"p{page}q{n}" for n in range(9)), *units[begin:begin + count]])
             for page, (begin, count) in enumerate(rng.integers([0, 8], [20, 30], (400, 2)).tolist())]
    texts += ["甲乙丙丁戊己庚辛壬癸" * 2, " ".join(f"w{n}" for n in range(40))] * 3
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    for name_of in ("MOST_TEXT", "MOST_READ"):
        monkeypatch.setattr(scanning, name_of, 0)
    monkeypatch.setattr(splits, "SPLIT_BYTES", SMALL)
    monkeypatch.setattr(portions, "SPLIT_BYTES", SMALL)
    counted: list[int] = []
    count = SpreadSurveyor.token_halves
    monkeypatch.setattr(SpreadSurveyor, "token_halves", lambda self: counted.append(1) or count(self))
    assert rendered(in_parts(tmp_path, find="exact")) == rendered(scan(tmp_path, find="exact"))
    assert counted


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("unit", ["page", "block"])
@pytest.mark.parametrize("most", [3, 4096])
def test_crowded_buckets_whose_pages_do_not_all_count(tmp_path: Path, unit: str, most: int,
                                                      monkeypatch: pytest.MonkeyPatch,
                                                      caplog: pytest.LogCaptureFixture) -> None:
    """Members whose representatives are of their own kind are compared with others; some buckets have no room for all."""
    for module in (lsh, buckets):
        monkeypatch.setattr(module, "MAX_REPRESENTATIVES", most)
    rnd = np.random.default_rng(2)
    hubs = [rnd.integers(0, 5000, 60) for _ in range(5)]
    lines = []
    for n in range(400):
        words = hubs[int(rnd.integers(0, 5))].copy()
        words[rnd.integers(0, 60, 4)] = rnd.integers(0, 5000, 4)
        lines.append(json.dumps({"id": str(n), "kind": "rare" if n % 40 == 39 else "often",
                                 "text": " ".join(f"w{word}" for word in [*range(6000, 6030), *words])}))
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    asked = {"unit": unit, "between": "kind", "meta": ["kind"], "threshold": 0.6, "shingle_size": 2}
    bands = 6 if most == 3 else 2  # of one register each, so that unlike ones meet, too
    monkeypatch.setattr(lsh.LSH, "for_threshold", classmethod(lambda cls, threshold: cls(bands, 1)))
    asking: list[int] = []
    ask = KnownOverlaps.overlaps

    def overlaps(self: KnownOverlaps, engine: Any, a: Any, b: Any) -> Any:
        ours = replace(self, elsewhere=lambda a, b: asking.append(len(a)) or self.elsewhere(a, b))
        return ask(ours, engine, a, b)
    monkeypatch.setattr(KnownOverlaps, "overlaps", overlaps)
    ours, whole = in_parts(tmp_path, **asked), scan(tmp_path, **asked)
    assert rendered(ours) == rendered(whole)
    assert whole.groups
    said = [message for message in caplog.messages if "cut short" in message]
    assert (len(said), len(set(said))) == ((2, 1) if most == 3 else (0, 0))
    assert asking or most == 3, "none was compared with a partner of its representative"


def test_blocks_of_equal_texts_have_equal_digests(tmp_path: Path) -> None:
    texts = ["The ferry runs every hour.", "THE FERRY -- runs every hour", "The ferry runs every hours", "The ferry"]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    options = make_options({}, "scan")
    portion = read_portion(0, splits.find_splits(InProcess(), [tmp_path], options, Notes())[0], options)
    places = Alone(Places(portions.Numbering(np.array([0, 4]), (portion.mark,)), np.arange(10, 14), np.zeros(4, np.int64)))
    chosen = np.zeros(16, bool)
    chosen[[10, 11, 12]] = True
    number, digest = block_digests(0, portion, places, Alone(np.packbits(chosen)))
    assert number.tolist() == [10, 11, 12]
    assert len({tuple(row) for row in digest.tolist()}) == 2
    assert digest[0].tolist() == digest[1].tolist()


@pytest.mark.usefixtures("small")
def test_lines_of_a_cut_file_keep_their_numbers(tmp_path: Path) -> None:
    """Broken lines, long ones and such without an id are named as one machine names them."""
    lines = []
    for n in range(400):
        page = {"text": f"Page {n} says the same eight words as others do, and then {n * 7919} of its own."}
        lines.append("{broken" if n % 37 == 5 else "" if n % 41 == 7 else json.dumps(page))
    lines[100] = json.dumps({"id": "long", "text": "word " * 9000})
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    (tmp_path / "b.jsonl").write_text("\n".join(lines[:3]))
    ours, whole = in_parts(tmp_path, find="exact"), scan(tmp_path, find="exact")
    assert len(whole.errors) > 10
    assert rendered(ours) == rendered(whole)
    assert [str(e) for e in ours.errors] == [str(e) for e in whole.errors]


@pytest.mark.usefixtures("small")
def test_lines_that_begin_where_a_file_is_cut_keep_their_numbers(tmp_path: Path) -> None:
    """All lines have the same length, so each cut is the begin of one; without ids they are named by their numbers."""
    texts = [f"{n % 150:06} stands before the same eight words as elsewhere" for n in range(800)]
    lines = [json.dumps({"text": text}).ljust(99) for text in texts]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    assert len("\n".join(lines)) + 1 == 4 * SMALL
    assert rendered(in_parts(tmp_path, find="exact")) == rendered(scan(tmp_path, find="exact"))


@pytest.mark.usefixtures("small")
def test_pairs_exactly_at_the_threshold_share_a_prefix(tmp_path: Path) -> None:
    """Nine words of which one differs: 8 / 10. Of some of such pairs only the second least shingle is common."""
    pages = [{"id": f"{n}{side}", "text": " ".join([side + str(n), *(f"w{n}x{i}" for i in range(8))])}
             for n in range(80) for side in "ab"]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, pages)))
    asked = {"unit": "page", "exhaustive": True, "shingle_size": 1, "threshold": 0.8}
    whole = scan(tmp_path, **asked)
    assert len(whole.groups) == 80
    assert rendered(in_parts(tmp_path, **asked)) == rendered(whole)


@pytest.mark.usefixtures("small")
def test_lines_that_are_too_long_are_the_same_ones(tmp_path: Path) -> None:
    """However a file is cut: a line is measured alone, though its text is shorter."""
    lines = [json.dumps({"text": f"{n} " + "short text " * (n % 90), "more": "x" * (n * 37 % 500)}) for n in range(300)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    asked = {"find": "exact", "max_page_bytes": 1000}
    whole = scan(tmp_path, **asked)
    assert {s.reason: s.count for s in whole.skipped}["longer than max_page_bytes"] == sum(len(line) > 1000 for line in lines)
    assert rendered(in_parts(tmp_path, **asked)) == rendered(whole)


def tables(where: Path) -> None:
    """Two Parquet files of many row groups: nested texts, rows without an id, without a text, and some that are no UTF-8."""
    for name in "ab":
        rows = [{"id": None if n % 5 == 0 else f"{name}{n}", "paper": "north", "more": "x" * 400,
                 "doc": None if n % 9 == 4 else {"text": None if n % 11 == 3 else
                                                f"Row {n % 70} says {n % 70 * 7919} and the same eight words as others do."}}
                for n in range(500)]
        schema = pa.schema([("id", pa.string()), ("paper", pa.string()), ("more", pa.string()),
                            ("doc", pa.struct([("text", pa.string())]))])
        pq.write_table(pa.Table.from_pylist(rows, schema), where / f"{name}.parquet", row_group_size=23, compression="none",
                       use_dictionary=False)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("asked", [{"find": "exact"}, {"unit": "page", "meta": ("paper",)}])
def test_row_groups_are_read_apart(tmp_path: Path, asked: dict[str, Any]) -> None:
    """Rows keep their numbers, in names as in messages."""
    tables(tmp_path)
    known = {**asked, "text_field": "doc.text"}
    cut = splits.find_splits(InProcess(), [tmp_path], make_options(known, "scan"), Notes())
    assert [(split.files[0].name, split.last) for split in cut if split.end] == [
        (f"{name}.parquet", last) for name in "ab" for last in (False, True)]
    ours, whole = in_parts(tmp_path, **known), scan(tmp_path, **known)
    assert len(whole.errors) > 10
    assert rendered(ours) == rendered(whole)
    assert [str(e) for e in ours.errors] == [str(e) for e in whole.errors]


@pytest.mark.usefixtures("small")
def test_a_table_that_is_damaged_ends_where_it_ends_on_one_machine(tmp_path: Path) -> None:
    """Row groups behind the damage could be read, and are not; the other file is read in row groups."""
    tables(tmp_path)
    path, known = tmp_path / "a.parquet", {"find": "exact", "text_field": "doc.text"}
    group = pq.ParquetFile(path).metadata.row_group(9)
    column = next(group.column(i) for i in range(group.num_columns) if group.column(i).path_in_schema == "doc.text")
    data = bytearray(path.read_bytes())
    data[column.data_page_offset:column.data_page_offset + 20] = b"\xff" * 20
    path.write_bytes(data)
    whole = scan(tmp_path, **known)
    assert [s.reason for s in whole.skipped if s.reason.startswith("parquet")] == ["parquet data is damaged"]
    assert 400 < len(whole.pages) < 700
    assert rendered(in_parts(tmp_path, **known)) == rendered(whole)
    path.write_bytes(data[:-30])  # no footer
    assert rendered(in_parts(tmp_path, **known)) == rendered(scan(tmp_path, **known))


@pytest.mark.usefixtures("small")
def test_texts_of_what_verdicts_look_at_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes of mails, and short lines that stand twice, though nothing is found on their pages."""
    quoted = "> It was said before that the boat leaves at noon.\n\nNo, it does not, as I wrote to you on Monday already."
    pages = [{"id": "quote", "text": quoted}, {"id": "twice", "text": "To the top\n\nOf one page.\n\nTo the top\n\nEnd."},
             {"id": "other", "text": "It was said before that the boat leaves at noon.\n\nNobody knows."}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, pages)))
    monkeypatch.setattr(scanning, "MOST_TEXT", 0)
    for asked in ({"find": "exact"}, {"find": "exact", "min_tokens": 20}):
        assert rendered(in_parts(tmp_path, **asked)) == rendered(scan(tmp_path, **asked)), asked


def test_pages_of_as_few_words_as_a_repeat_has_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And pairs of all parts come in the one order: here each part has some that stand between those of others."""
    monkeypatch.setattr(scanning, "PART_BYTES", 50)
    texts = [" ".join(f"w{n % 7}x{i}" for i in range(8)) for n in range(28)]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    for asked in ({"find": "exact", "pairs": True}, {"unit": "page", "exhaustive": True, "pairs": True}):
        whole = scan(tmp_path, **asked)
        assert (len(whole.groups), len(list(whole.pairs()))) == (7, 21)
        assert rendered(in_parts(tmp_path, **asked)) == rendered(whole)


@pytest.mark.usefixtures("small")
def test_references_of_the_same_names_and_their_errors_are_told_apart(tmp_path: Path) -> None:
    for side, broken in (("one", 3), ("two", 14)):
        lines = [json.dumps({"id": str(n), "text": f"Page {n % 9} says the same eight words as the others do."})
                 for n in range(40)]
        (tmp_path / side).mkdir()
        (tmp_path / side / "a.jsonl").write_text("\n".join(lines[:30] + ["{broken"] * broken + lines[30:]))
    places = [tmp_path / "one", tmp_path / "two"]
    ours = report_of_places(InProcess(), [[place] for place in places], make_options({"unit": "page"}, "scan"))
    whole = scan(places[1], against=places[0], unit="page")
    assert "reference/7" in {page.id for page in whole.pages}
    assert rendered(ours) == rendered(whole)
    assert [str(e) for e in ours.errors] == [str(e) for e in whole.errors]


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_lines_between_bytes_are_all_lines_once(data: bytes, cuts: list[int],
                                                tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("lines") / "a"
    path.write_bytes(data)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found = []
    for begin, end in itertools.pairwise(edges):
        if end > begin:
            with path.open("rb") as file:
                found.append(splits.LinesBetween(file, begin, end).readall() or b"")
    assert b"".join(found) == data
    assert all(part.endswith(b"\n") for part in [part for part in found if part][:-1])


def table_report(tables: Sequence[pa.Table], size: int, **settings: Any) -> Report:
    """The report of the rows of tables, of which each is a partition in several batches."""
    options = make_options(settings, "scan")
    made: list[Portion] = [portion for part, table in enumerate(tables)
                           for portion in portions_of_batches(part, iter(table.to_batches(max_chunksize=size)),
                                                              reading_options(options), False)]
    stages, notes = Stages(), [Notes()]
    findings, digest, read = scan_on(InProcess(), HeldHere(made), notes, options, stages, ordered=False)
    return report_of(read, findings, digest, stages)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("settings", [{"unit": "page"}, {"find": "exact"}, {}])
def test_rows_without_an_order_are_taken_by_their_ids(folder: Path, settings: dict[str, Any]) -> None:  # noqa: F811
    rows = sorted((json.loads(line) for line in (folder / "many.jsonl").read_text().splitlines()), key=lambda row: row["id"])
    rows += [dict(rows[0]), {"id": None, "text": "Text of a row without an id, " * 4}]
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    tables = [pa.Table.from_pylist(shuffled[:70]), pa.Table.from_pylist(shuffled[70:])]
    ours = table_report(tables, 7, **settings)
    ids = [page.id for page in ours.pages]
    assert [name for name in ids if "#" not in name] == sorted(name for name in ids if "#" not in name)
    assert f"{rows[0]['id']}#2" in ids
    order = {name: n for n, name in enumerate(ids)}
    named = [{"id": row["id"] or next(name for name in ids if name not in {r["id"] for r in rows} and "#" not in name),
              "text": row["text"]} for row in rows]
    whole = scan(pa.Table.from_pylist(sorted(named, key=lambda row: order[row["id"]])), **settings)
    assert ours.to_json() == whole.to_json()


@pytest.mark.parametrize("asked", [{"unit": "page", "threshold": 0.2}, {"find": "exact"}, {}])
def test_near_rows_are_the_same_in_whatever_portions_they_come(asked: dict[str, Any]) -> None:
    """Texts of a part come in the order of the portions; stages order by that of the pages. Each is near the next one."""
    random = np.random.default_rng(5)
    parts = [" ".join(f"w{word}" for word in random.integers(0, 4000, 50)) for _ in range(25)]
    rows = [{"id": f"{n * 7 % 24:02}", "text": f"{parts[n]}\n\n{parts[n + 1]}"} for n in range(24)]
    whole = scan(pa.Table.from_pylist(sorted(rows, key=lambda row: row["id"])), **asked).to_json()
    for _ in range(8):
        shuffled = [rows[i] for i in random.permutation(len(rows))]
        assert table_report([pa.Table.from_pylist(shuffled[at::3]) for at in range(3)], 4, **asked).to_json() == whole


@pytest.mark.usefixtures("small")
def test_texts_that_are_gone_are_read_again_and_none_are_left(folder: Path, own_folder: Path,  # noqa: F811
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rendered(scan(folder, unit="page"))
    assert rendered(in_parts(folder, unit="page")) == whole
    assert not list(own_folder.iterdir())
    plan, gone = scanning.plan_parts, []

    def losing(*args: Any) -> Any:
        for path in own_folder.iterdir():  # as on a machine that did not read them
            gone.append(path)
            path.unlink()
        return plan(*args)
    monkeypatch.setattr(scanning, "plan_parts", losing)
    assert rendered(in_parts(folder, unit="page")) == whole
    assert gone


def test_of_a_text_that_has_no_room_on_disk_nothing_is_left(tmp_path: Path, own_folder: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    made = tempfile.NamedTemporaryFile

    def full(**known: Any) -> Any:
        file = made(**known)

        def write(_: Any) -> None:
            raise OSError(28, "No space left on device")
        file.write = write
        return file
    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    options = make_options({}, "scan")
    portion = read_portion(0, splits.find_splits(InProcess(), [tmp_path], options, Notes())[0], options)
    assert portion.whole.text.tobytes() == b"Some words that stand here."
    assert not list(own_folder.iterdir())


def test_texts_that_are_others_when_they_are_read_again_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    options = make_options({}, "scan")
    portion = read_portion(0, splits.find_splits(InProcess(), [tmp_path], options, Notes())[0], options)
    assert portion.whole.text.tobytes() == b"Some words that stand here."
    portions.forget(0, portion)
    (tmp_path / "a.txt").write_text("Other words that stand here.")
    with pytest.raises(InputError, match="the input changed while it was scanned"):
        portion.whole  # noqa: B018


def test_a_portion_that_changed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "eight words that stand here and nowhere else"}))
    options = make_options({}, "scan")
    cluster, notes = InProcess(), Notes()
    portion = read_portion(0, splits.find_splits(cluster, [tmp_path], options, notes)[0], options)
    numbering = portions.Numbering(np.array([0, 1]), (portion.mark + 1,))
    with pytest.raises(InputError, match="the input changed while it was scanned"):
        numbering.of(0, portion)


@pytest.mark.parametrize(("source", "words"), [
    (["a text"], "Spark reads places and its own tables, not a list"),
    (Path("-"), "Spark cannot read standard input"),
    (Path("no such file"), "no such file or folder"),
])
def test_what_spark_cannot_read_is_said(source: Any, words: str) -> None:
    with pytest.raises(Exception, match=words):
        on_spark.check_places(source)
