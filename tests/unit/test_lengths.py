"""Lengths in tokens: a character of a script without spaces counts half, wherever it stands."""

from __future__ import annotations

import random

import pytest

import dedup
from dedup.errors import OptionError

TWELVE = "one two three four five six seven eight nine ten eleven twelve"


def test_words_in_a_block_of_characters_count_whole() -> None:
    """Twelve equal words between unlike Han characters are a run of twelve tokens, whatever is around them."""
    chars = [chr(0x4E00 + i) for i in range(6000)]
    random.Random(0).shuffle(chars)
    pages = [{"id": str(i), "text": "".join(chars[200 * i:200 * i + 200]) + " " + TWELVE} for i in (0, 1)]
    (group,) = dedup.scan(pages, find="exact").groups
    assert (group.text, group.tokens) == (TWELVE, 12.0)


def test_characters_in_a_block_of_words_count_half() -> None:
    """Nine characters between unlike words are four tokens and a half: too few."""
    same = "天地玄黄宇宙洪荒日"
    pages = [f"{' '.join(f'{name}{i}' for i in range(200))} {same}" for name in ("left", "right")]
    assert len(dedup.scan(pages, find="exact").groups) == 0
    pages = [page + "月盈昃辰宿列张" for page in pages]
    assert [group.tokens for group in dedup.scan(pages, find="exact").groups] == [8.0]


@pytest.mark.parametrize(("period", "times", "settings"), [
    ("南无阿弥陀佛，", 50, {}), ("สวัสดีครับ", 40, {}), ("一", 1000, {}), ("一二三四五六七八九十甲乙丙丁戊", 20, {}),
    ("hare krishna hare rama ", 30, {}), ("hare krishna hare rama ", 30, {"min_tokens": 9}),
    ("hare krishna hare rama ", 30, {"min_tokens": 16})])
def test_a_stretch_that_repeats_at_once_is_found_in_any_script(period: str, times: int, settings: dict[str, int]) -> None:
    report = dedup.scan([period * times], **settings)
    assert len(report.groups) == 1
    assert report.groups[0].tokens >= settings.get("min_tokens", 8)
    assert report.summary.duplicate_share > 0.75


def test_whole_pages_have_no_repeats_within() -> None:
    with pytest.raises(OptionError, match="scope"):
        dedup.scan(["a b c"], unit="page", scope="within")
