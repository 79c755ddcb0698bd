"""Near misses in words: what stopped one, and how alike it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.report.text import count, decimal, percent

if TYPE_CHECKING:
    from dedup.model import NearMiss
    from dedup.options import Options


def why_missed(miss: NearMiss, options: Options) -> str:
    """The gate that stopped it, with what was reached and asked, and the flag that asks for less.

    Args:
        options: Of the report.
    """
    value, asked = miss.value or 0.0, miss.asked or 0.0
    figures = {
        "min_evidence": f"evidence {one_decimal(value)}, {one_decimal(asked)} asked (--min-evidence)",
        "min_dice": f"dice {decimal(value)}, {decimal(asked)} asked (--min-dice)",
        "min_tokens": f"{count(value, 'word')}, {asked:g} asked (--min-tokens)",
        "min_chars": f"{count(value, 'character')}, {asked:,.0f} asked (--min-chars)",
        "min_similarity": f"similarity {percent(value)}, {percent(asked)} asked (--min-similarity)",
        "threshold": f"jaccard {decimal(value)}, {decimal(asked)} asked (--threshold)",
        "order": f"words in another order: {decimal(value)} alike, {decimal(asked)} asked; --find reworded takes any order",
        "words": f"words that only begin alike: {percent(value)} of them equal, {percent(asked)} asked",
        "windows": "too few of its windows of 24 words are alike",
        "exhaustive": "missed by chance; --exhaustive finds it",
        "find": f"--find {options.find} leaves it out; --find {'near' if options.find == 'exact' else 'reworded'} finds it",
        "scope": f"--scope {options.scope} leaves it out",
        "between": f"--between {options.between} leaves it out: no two pages that differ in it",
        "overlap": "its words stand in a better passage",
        "runs": "it says no more than the equal runs in it, which are reported",
    }
    return figures[miss.gate]


def miss_measures(miss: NearMiss) -> list[str]:
    """Length and measures, but the one that the gate is about."""
    out = [] if miss.gate == "min_tokens" else [count(miss.tokens, "word")]
    shares = ("jaccard", "threshold", miss.jaccard), ("dice", "min_dice", miss.dice), ("order", "order", miss.order)
    for name, gate, value in shares:
        if value is not None and gate != miss.gate:
            out.append(f"{name} {decimal(value)}")
    if miss.evidence is not None and miss.gate != "min_evidence":
        out.append(f"evidence {one_decimal(miss.evidence)}")
    return out


def one_decimal(number: float) -> str:
    """Rounded down, so that what is not enough never looks as if it were.

    >>> one_decimal(6.99), one_decimal(7.0), one_decimal(-0.42)
    ('6.9', '7', '-0.5')
    """
    return f"{(number * 10 + 1e-9) // 1 / 10:g}"


__all__ = ["miss_measures", "one_decimal", "why_missed"]
