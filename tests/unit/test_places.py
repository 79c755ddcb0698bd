"""Places cut back the text that they name, in the page and in the source."""

from __future__ import annotations

from pathlib import Path

import pytest

from dedup import Page, compare, scan
from dedup.kernel import kernel
from tests.scan_help import around, edited, lines, needs_speed, prose, scan_texts, words

SHARED = "these nine words are shared by both pages today"


def only_group(*texts: str):
    report = scan_texts(texts)
    assert len(report.groups) == 1
    return report.groups[0].occurrences


def test_a_place_inside_a_block_begins_and_ends_with_the_shared_words():
    a, b = only_group(f"Before it {SHARED} and after it.", f"Another begin {SHARED} another end.")
    assert a.text == b.text == SHARED


def test_closing_and_opening_marks_belong_to_the_place():
    a, b = only_group(f'He said: "{SHARED}!" Then he left.', f"She wrote “{SHARED}.” Nobody answered")
    assert a.text == f'"{SHARED}!"'
    assert b.text == f"“{SHARED}.”"


def test_offsets_count_code_points_not_bytes():
    a, b = only_group(f"é😀中 {around(SHARED, 1)}", f"中文😀😀 {around(SHARED, 2)}")
    assert a.text == b.text == SHARED
    assert a.start == f"é😀中 {around(SHARED, 1)}".index(SHARED)
    assert b.start == f"中文😀😀 {around(SHARED, 2)}".index(SHARED)


def test_lone_surrogates_nul_and_line_ends_do_not_move_a_place():
    a, b = only_group(f"\ud800\0\r\nx \ud800\r\n\r\n{around(SHARED, 1)}\r\n\r\nend", f"z\r\n\r\n{around(SHARED, 2)}")
    assert a.text == b.text == SHARED


def test_the_ends_of_a_whole_block_are_the_blocks():
    a, b = only_group(lines("x", f"«{SHARED}» …", "y"), lines("z", f"({SHARED})"))
    assert a.text == f"«{SHARED}» …"
    assert b.text == f"({SHARED})"


def test_lines_count_from_one_and_go_over_every_kind_of_line_end():
    text = lines(prose(20, 1), prose(20, 2), prose(20, 3))
    report = scan_texts([f"x\n\n{text}\n", f"u\r\n\r\nv\r\n\r\n{text}"])
    assert [(o.line, o.end_line) for o in report.groups[0].occurrences] == [(3, 7), (5, 9)]


def test_places_of_a_record_have_the_records_line():
    pages = [Page(str(n), lines("x", prose(30, 1), f"end{n}"), source="r.jsonl", line=n, record=True) for n in (7, 9)]
    members = scan(pages).groups[0].occurrences
    assert [(o.line, o.end_line, o.source_start) for o in members] == [(7, 7, None), (9, 9, None)]


@pytest.mark.parametrize("script", [
    "中文字符也是文字很多很多的文字都在這裡",
    "สวัสดีชาวโลกทั้งหลาย",
    "ひらがなとカタカナの文章ですね日本語",
])
def test_in_scripts_without_spaces_a_place_may_begin_at_any_character(script):
    fillers = ["甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥", "乾坤震巽坎離艮兌天地風雷水火山澤金木土月星宿列張"]
    a, b = only_group(*(f"{filler}{script}{filler[::-1]}" for filler in fillers))
    assert script == a.text == b.text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_source_place_of_a_html_page_cuts_back_what_reads_as_the_text(tmp_path, newline):
    body = prose(30, 4)
    html = newline.join(["<html><body>", f"<p>{body}</p>", "<div><b>Note</b></div>", f"<p><i>{body}</i></p>", "</body>"])
    (tmp_path / "p.html").write_bytes(html.encode())
    members = scan(tmp_path / "p.html").groups[0].occurrences
    assert [o.line for o in members] == [2, 4]
    for o in members:
        assert body in html[o.source_start:o.source_end]
        assert o.path.endswith(("p", "p[1]", "p[2]"))


def test_the_source_place_of_a_text_file_is_its_place(tmp_path):
    (tmp_path / "a.txt").write_text(lines("x", prose(30, 5), "y", prose(30, 5)), encoding="utf-8")
    for o in scan(tmp_path / "a.txt").groups[0].occurrences:
        assert (o.source_start, o.source_end, o.path) == (o.start, o.end, None)


def test_a_near_place_is_the_whole_block(tmp_path: Path):
    block = prose(40, 6)
    report = scan_texts([lines("x", block), lines("y", edited(block, [10, 20]))])
    a, b = report.groups[0].occurrences
    assert (a.text, b.text) == (block, edited(block, [10, 20]))


def test_both_sides_of_a_pair_cut_back_their_texts():
    text = " ".join(words(40, 7))
    pair = next(compare(around(text, 1), around(text, 2)).pairs())
    assert pair.a.text == pair.b.text == text


@needs_speed
def test_a_huge_block_is_cut_into_tokens_a_few_times_however_many_places_lie_in_it(monkeypatch):
    """One line of text, as crawlers leave it: work grows with the text, not with its square."""
    text, read, tokenise = "中文字符也是文字一二三四五六七八" * 50_000, [], kernel.tokenise

    def counted(text, start, end, *rest):
        read.append(int((end - start).sum()))
        return tokenise(text, start, end, *rest)
    monkeypatch.setattr(kernel, "tokenise", counted)
    assert scan([{"text": text}], threads=1).groups[0].count > 10_000
    assert sum(read) < 8 * len(text.encode())
