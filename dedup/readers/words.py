"""Words that notes have in common; apart from them, as the workers that parse have no use for NumPy, which pages need."""

from __future__ import annotations

GUESS = "encoding guessed as Windows-1252"  # ends a note on decoding by which nothing is lost


def used(before: bool) -> str:
    """What became of a file that is damaged, as an error says it behind the damage.

    Args:
        before: Whether something was read before it.
    """
    return "what stands before it was used" if before else "nothing of it was used"
