"""Cleaning of files whose bytes are not UTF-8, as whole runs: what goes, what stays, and all of it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from dedup.api import clean, restore
from dedup.cleaning.manifest import FILE_NAME
from dedup.readers import open_pages

# The second byte of ソ, 表 and 能 in Shift_JIS is a backslash; 𠀀 is four bytes in GB18030, two of them digits.
JAPANESE = [
    "ソファーの表面は職人の能力をよく表しており、町の人々はそれを誇りに思っている。",
    "港の古い橋は二年の修理を経て、月曜日の朝に再び開かれた。",
    "技師たちは税関の屋根裏で見つかった図面から、橋の中心を作り直さなければならなかった。",
    "予算の三分の一は、もうすぐ閉鎖される鋳造所の鐘の音のために使われた。",
]
CHINESE = [
    "港口的老桥经过两年的修理之后，在星期一早上重新开放，市民们排着长队走过。",
    "工程师们不得不根据在海关阁楼里找到的图纸重新制作𠀀形的桥轴，费时数月。",
    "预算的三分之一用于铸造厂的钟声，那家铸造厂不久就要关闭，工人们都很难过。",
    "市长说，下一座桥要由全镇的人一起来选择颜色，大家都可以投票表决。",
]
CASES = [("shift_jis", "cp932", JAPANESE), ("gb18030", "gb18030", CHINESE), ("euc-jp", "euc_jp", JAPANESE)]


@pytest.mark.parametrize("form", ["html", "md"])
@pytest.mark.parametrize(("charset", "codec", "article"), CASES)
def test_a_second_rendering_goes_from_other_encodings(charset: str, codec: str, article: list[str], form: str,
                                                      tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    if form == "html":
        body = "".join(f"<p>{text}</p>\r\n" for text in article)
        source = f"<meta charset={charset}><title>x</title><div>\r\n{body}</div><hr><div>\r\n{body}</div><p>終 end</p>"
    else:
        body = "\n\n".join(article)
        source = f"# One\n\n{body}\n\n{body}\n\nend\n"
    data = source.encode(codec)
    (tmp_path / "in" / f"page.{form}").write_bytes(data)
    done = clean(tmp_path / "in", tmp_path / "out", max_removed=1.0)
    left = (tmp_path / "out" / f"page.{form}").read_bytes()
    read = next(iter(open_pages(tmp_path / "in"))).text
    if form == "html" or article[0] in read:  # else the encoding, which nothing names, was guessed to be another one
        assert done.accounting.cut == 1
        assert [left.decode(codec).count(text) for text in article] == [1] * len(article)
    restore(tmp_path / "out" / FILE_NAME, tmp_path / "back")
    assert (tmp_path / "back" / f"page.{form}").read_bytes() == data
    assert not clean(tmp_path / "out", tmp_path / "again", max_removed=1.0).removals
