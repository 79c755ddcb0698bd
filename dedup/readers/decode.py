"""Bytes to text: byte order mark, strict UTF-8, what the page declares, then a guess that is said to be one."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

from dedup.readers.words import GUESS, used

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
          (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.+-]{1,40})", re.IGNORECASE)
_XML_DECLARED = re.compile(rb"\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_:.+-]{1,40})", re.IGNORECASE)
_LOOKED_AT = 4096  # bytes in which a page may declare its encoding
# Labels we follow, each with Python's codec for it. A list, because Python's codec names include "zip" and "rot13".
CHARSETS = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "x-x-big5": "big5hkscs",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "ms_kanji": "cp932", "euc-jp": "euc_jp", "x-euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "ksc5601": "cp949", "windows-949": "cp949",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "iso8859-1": "cp1252", "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "koi8-r": "koi8_r", "koi8-u": "koi8_u", "macintosh": "mac_roman", "x-mac-cyrillic": "mac_cyrillic",
    "ibm866": "cp866", "cp866": "cp866", "utf-16": "utf-8", "utf-16le": "utf-8", "utf-8": "utf-8", "utf8": "utf-8",
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"windows-125{n}": f"cp125{n}" for n in range(9)}, **{f"cp125{n}": f"cp125{n}" for n in range(9)},
}


class Decoded(NamedTuple):
    """A decoded text, and how its bytes became it.

    Attributes:
        text: Without byte order mark.
        note: How its encoding was guessed: empty where nothing was guessed.
        mark: Bytes of the byte order mark.
        codec: Python's codec for the rest.
        errors: "strict", or "replace" where some bytes are none of the codec's.
    """

    text: str
    note: str
    mark: int
    codec: str
    errors: str


def decode(data: bytes, declared: str = "") -> tuple[str, str]:
    """Decode a text.

    Args:
        declared: Encoding that its surroundings name, such as an HTTP header; empty where none does.

    Returns:
        The text without byte order mark, and how its encoding was guessed: empty where nothing was guessed.
    """
    found = decoded(data, declared)
    return found.text, found.note


def decoded(data: bytes, declared: str = "") -> Decoded:
    """See `decode`."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            size = len(mark)
            try:
                return Decoded(data[size:].decode(codec), "", size, codec, "strict")
            except UnicodeDecodeError as error:
                note = f"not valid {codec} at byte {error.start + size}, replaced"
                return Decoded(data[size:].decode(codec, "replace"), note, size, codec, "replace")
    try:
        return Decoded(data.decode("utf-8"), "", 0, "utf-8", "strict")
    except UnicodeDecodeError as error:
        bad = error.start
    codec = CHARSETS.get(declared.strip("\"' ").lower(), "")
    if codec and codec != "utf-8":
        try:
            return Decoded(data.decode(codec), "", 0, codec, "strict")
        except UnicodeDecodeError:
            note = f"not valid {declared}, broken characters replaced"
            return Decoded(data.decode(codec, "replace"), note, 0, codec, "replace")
    text = data.decode("cp1252", "replace")
    lost = ", which lacks some of its bytes: they are replaced" if "\ufffd" in text else ""  # five are unassigned
    return Decoded(text, f"not valid UTF-8 at byte {bad}, {GUESS}{lost}", 0, "cp1252", "replace")


def declared_in_html(data: bytes) -> str:
    """Encoding label that a page declares in its first bytes, or nothing."""
    head = data[:_LOOKED_AT]
    found = _DECLARED.search(head) or _XML_DECLARED.search(head)
    return found[1].decode("ascii") if found else ""


def wide_codec(head: bytes) -> str:
    """The codec of a text that begins with the byte order mark of UTF-16 or UTF-32; else empty.

    >>> wide_codec(b"\\xff\\xfea\\0"), wide_codec(b"a")
    ('utf-16-le', '')
    """
    return next((codec for mark, codec in _MARKS[1:] if head.startswith(mark)), "")


class Utf8Stream(io.RawIOBase):
    """A stream in UTF-16 or UTF-32 as UTF-8 without byte order mark, decoded as it is read.

    A lone surrogate stays one, in the three bytes that UTF-8 has no use for: it costs the line it stands on.
    """

    def __init__(self, stream: BinaryIO, codec: str, damage: Callable[[str], None]) -> None:
        """Begin to decode; `damage` is called with one line where the stream ends inside a character."""
        self._stream = stream
        errors = "surrogatepass" if codec.startswith("utf-16") else "replace"  # Python has no such way for UTF-32
        self._decoder = codecs.getincrementaldecoder(codec)(errors)
        self._codec = codec
        self._damage = damage
        self._ready = b""
        self._begun = self._given = self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            data = self._stream.read(1 << 18)
            self._ended = not data
            text = self._decoder.decode(data)
            if not self._begun and text:
                self._begun, text = True, text.removeprefix("\ufeff")
            self._given |= text != ""
            if self._ended and self._decoder.getstate()[0]:
                self._damage(f"ends inside a character of {self._codec}; {used(self._given)}")
            self._ready = text.encode("utf-8", "surrogatepass")
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size
