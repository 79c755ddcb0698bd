"""Plain text cut into blocks: a hard-wrapped paragraph is one block, every other line one of its own."""

from __future__ import annotations

import textwrap
from types import ModuleType

import numpy as np
import pytest

from dedup.kernel import reference
from dedup.model import BlockKind

try:
    from dedup.kernel import _kernel as native
except ImportError:
    native = None  # type: ignore[assignment]

PARAGRAPH, LINE = int(BlockKind.PARAGRAPH), int(BlockKind.LINE)


@pytest.fixture(params=["native", "reference"])
def kernel(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "reference":
        return reference
    if native is None:
        pytest.skip("the kernel is not built")
    return native


def blocks(kernel: ModuleType, text: str) -> list[tuple[int, str]]:
    data = text.encode("utf-8", "surrogatepass")
    _, start, end, kind = kernel.split_lines(np.frombuffer(data, np.uint8), np.array([0]), np.array([len(data)]))
    rows = zip(kind.tolist(), start.tolist(), end.tolist(), strict=True)
    return [(kind, data[a:b].decode("utf-8", "surrogatepass")) for kind, a, b in rows]


SENTENCE = (
    "The harbour council decided on Tuesday that the old fish market will be rebuilt in brick, "
    "and that the work will begin before the first storms of the autumn reach the outer pier."
)


@pytest.mark.parametrize("width", [40, 60, 72, 80, 100])
def test_a_hard_wrapped_paragraph_is_one_block(kernel: ModuleType, width: int) -> None:
    wrapped = textwrap.fill(SENTENCE, width)
    assert blocks(kernel, f"{wrapped}\n\n{wrapped}\n") == [(PARAGRAPH, wrapped)] * 2


def test_an_indented_wrapped_paragraph_is_one_block(kernel: ModuleType) -> None:
    wrapped = textwrap.indent(textwrap.fill(SENTENCE, 66), "    ")
    assert blocks(kernel, wrapped) == [(PARAGRAPH, wrapped.strip())]


def test_menu_lines_are_blocks_of_their_own(kernel: ModuleType) -> None:
    menu = ["Home", "News from the harbour and the city", "Sport", "Weather and tides", "Contact"]
    assert blocks(kernel, "\n".join(menu)) == [(LINE, line) for line in menu]


def test_a_short_line_inside_makes_all_lines_blocks(kernel: ModuleType) -> None:
    """Each line but the last must be full."""
    lines = textwrap.wrap(SENTENCE, 60)
    lines.insert(1, "In short.")
    assert blocks(kernel, "\n".join(lines)) == [(LINE, line) for line in lines]


def test_one_paragraph_a_line_stays_so(kernel: ModuleType) -> None:
    """Lines beyond 200 columns were not wrapped by anyone."""
    lines = [SENTENCE + " " + SENTENCE, SENTENCE + " So it was said."]
    assert blocks(kernel, "\n".join(lines)) == [(LINE, line) for line in lines]


def test_narrow_lines_are_not_wrapped_text(kernel: ModuleType) -> None:
    lines = textwrap.wrap(SENTENCE, 38)
    assert blocks(kernel, "\n".join(lines)) == [(LINE, line) for line in lines]


def test_the_last_line_may_be_short_and_one_line_is_a_line(kernel: ModuleType) -> None:
    text = "A line of words that goes on and on to here\nend"
    assert blocks(kernel, text) == [(PARAGRAPH, text)]
    assert blocks(kernel, text.split("\n")[0]) == [(LINE, text.split("\n")[0])]


def test_full_means_that_the_next_word_would_not_have_fitted(kernel: ModuleType) -> None:
    longest = "x" * 50
    assert blocks(kernel, f"{longest}\n{'y' * 44} z\nabcd e")[0][0] == PARAGRAPH  # 46 + 1 + 4 > 50
    assert blocks(kernel, f"{longest}\n{'y' * 44} z\nabc d")[0][0] == LINE  # 46 + 1 + 3 = 50 would have fitted


def test_wrapped_chinese_is_one_block(kernel: ModuleType) -> None:
    text = "市议会星期二决定，旧鱼市场将用砖重建，工程将在秋天的第一场风暴到达外码头之前开始。" * 4
    wrapped = "\n".join(text[i : i + 36] for i in range(0, len(text), 36))
    assert blocks(kernel, wrapped) == [(PARAGRAPH, wrapped)]
    ragged = "\n".join([text[:36], text[36:66], text[66:100]])
    assert [kind for kind, _ in blocks(kernel, ragged)] == [LINE] * 3


def test_headlines_are_told_from_a_wrapped_paragraph_by_their_capitals_alone(kernel: ModuleType) -> None:
    """The one place where letter case counts: in capitals, or without any, lines of one width are a paragraph."""
    lines = ["Harbour Market Opens on Saturday with New Stalls", "Council Votes to Rebuild the Old Fish Market Now",
             "Ferry Timetable Changes from the First of August", "Library Extends Hours over the Whole Long Winter"]
    assert blocks(kernel, "\n".join(lines)) == [(LINE, line) for line in lines]
    for text in "\n".join(lines).upper(), "\n".join(lines).lower():
        assert blocks(kernel, text) == [(PARAGRAPH, text)]


def test_a_paragraph_with_names_at_its_breaks_is_told_by_the_width_of_the_one_before(kernel: ModuleType) -> None:
    before = textwrap.fill(SENTENCE, 70)
    names = ("The lock was opened again this morning by the harbour mistress Anna\n"
             "Holm, who thanked the crews of both tugs for a long night of work.")
    assert blocks(kernel, f"{before}\n\n{names}") == [(PARAGRAPH, before), (PARAGRAPH, names)]
    alone = [(LINE, line) for line in names.split("\n")]
    assert blocks(kernel, names) == alone  # it might be two headlines
    wider = textwrap.fill(SENTENCE, 90)  # there, "Holm," would have fitted on the first line
    assert blocks(kernel, f"{wider}\n\n{names}") == [(PARAGRAPH, wider), *alone]
    pages = [f"{before}\n", names]  # a page knows nothing of the one before
    data = "".join(pages).encode()
    edges = np.array([0, len(pages[0]), len(data)], np.int64)
    cut = kernel.split_lines(np.frombuffer(data, np.uint8), edges[:-1].copy(), edges[1:].copy())
    assert cut[3].tolist() == [PARAGRAPH, LINE, LINE]


def test_chinese_headlines_are_lines(kernel: ModuleType) -> None:
    lines = ["首页", "市议会决定重建旧鱼市场", "天气与潮汐", "联系我们"]
    assert blocks(kernel, "\n".join(lines)) == [(LINE, line) for line in lines]


def test_thai_paragraphs_a_line_each_stay_so(kernel: ModuleType) -> None:
    lines = ["สภาเมืองตัดสินใจเมื่อวันอังคารว่าตลาดปลาเก่าจะถูกสร้างใหม่", "งานจะเริ่มก่อนพายุ", "แรกของฤดูใบไม้ร่วงจะมาถึงท่าเรือ"]
    assert blocks(kernel, "\n".join(lines)) == [(LINE, line) for line in lines]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\f", "\u2028", "\u2029"])
def test_lines_end_in(kernel: ModuleType, end: str) -> None:
    assert blocks(kernel, end.join(["one", "two", "", " three "])) == [(LINE, "one"), (LINE, "two"), (LINE, "three")]
    wrapped = textwrap.wrap(SENTENCE, 60)
    assert blocks(kernel, end.join(wrapped)) == [(PARAGRAPH, end.join(wrapped))]


def test_white_space_of_any_kind_is_no_text(kernel: ModuleType) -> None:
    assert blocks(kernel, "\ufeffone \t\n\u00a0\u3000\u200b\n\u2003two\u00a0") == [(LINE, "one"), (LINE, "two")]
    assert blocks(kernel, " \n\t\r\n\u3000") == []
    assert blocks(kernel, "") == []


def test_pages_are_cut_apart(kernel: ModuleType) -> None:
    data = np.frombuffer(b"one\ntwothree\n\nfour", np.uint8)
    page, start, end, _ = kernel.split_lines(data, np.array([0, 7, 7]), np.array([7, 18, 7]))
    assert page.tolist() == [0, 0, 1, 1]
    assert [data[a:b].tobytes() for a, b in zip(start, end, strict=True)] == [b"one", b"two", b"three", b"four"]


def test_lone_surrogates_and_bad_bytes_live_through_it(kernel: ModuleType) -> None:
    assert blocks(kernel, "a\ud800\nb") == [(LINE, "a\ud800"), (LINE, "b")]
    data = np.frombuffer(b"\xff\xe2\x80\n\xe2\x80", np.uint8)
    assert kernel.split_lines(data, np.array([0]), np.array([6]))[2].tolist() == [3, 6]


def test_positions_are_refused_where_they_cannot_be(kernel: ModuleType) -> None:
    data = np.frombuffer("añb".encode(), np.uint8)
    with pytest.raises(ValueError, match="must ascend from 0 to 4"):
        kernel.code_points(data, np.array([2, 1]))
    with pytest.raises(ValueError, match="4 is more than the range's 3"):
        kernel.byte_offsets(data, 0, 4, np.array([4]))
    with pytest.raises(ValueError, match="before start"):
        kernel.line_numbers(data, 2, np.array([1]))


def test_lines_are_counted_as_universal_newlines_do(kernel: ModuleType) -> None:
    data = np.frombuffer(b"a\r\nb\rc\nd\r", np.uint8)
    assert kernel.line_numbers(data, 0, np.arange(10)).tolist() == [0, 0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert kernel.line_numbers(data, 4, np.array([4, 9])).tolist() == [0, 3]
