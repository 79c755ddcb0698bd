"""A fingerprint of a text as it is compared: the same wherever the text stands, whatever its case, spaces and punctuation."""

from __future__ import annotations

import hashlib

from dedup.verify import normalised


def text_fingerprint(text: str) -> str:
    """128 bits of the text's tokens, as 32 hexadecimal digits.

    >>> text_fingerprint("The quick brown fox.") == text_fingerprint("the  quick\\nbrown FOX")
    True
    """
    return hashlib.sha256(normalised(text, 0).encode("utf-8", "surrogatepass")).hexdigest()[:32]


__all__ = ["text_fingerprint"]
