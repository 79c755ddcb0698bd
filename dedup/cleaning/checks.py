"""Which of many cuts can be made: those that damage a page are found by halving, so that each costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

MAX_CHECKS = 64  # times that a page is read again,
MAX_CHECKED = 50_000_000  # and code points of it

A = TypeVar("A")


def sound(actions: Sequence[A], holds: Callable[[list[A]], bool], size: int) -> list[bool]:
    """Whether each of some cuts is made.

    Args:
        actions: The cuts, in order.
        holds: Whether some of them, in order, can be made together.
        size: Code points of the page. What is not decided after ``MAX_CHECKS`` tries is not made.
    """
    kept: list[int] = []
    todo = [list(range(len(actions)))] if actions else []
    left = max(4, min(MAX_CHECKS, MAX_CHECKED // (size + 1)))
    while todo and left:
        numbers = todo.pop()
        left -= 1
        if holds([actions[number] for number in sorted([*kept, *numbers])]):
            kept += numbers
        elif len(numbers) > 1:
            half = len(numbers) // 2
            todo += [numbers[half:], numbers[:half]]
    made = [False] * len(actions)
    for number in kept:
        made[number] = True
    return made
