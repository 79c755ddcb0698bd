"""What the stages of edited passages and the kernel share: marks of items, units of weights and shares, and the settings."""

from __future__ import annotations

from typing import NamedTuple

STARTS_SENTENCE, HALF = 1, 2  # an item's lowest two bits; the rest is a hash
ITEM_FLAGS = 2
RARE = 64  # weight of an item that stands once
THOUSAND = 1000

GRAM_ITEMS, GRAM_WINDOW = 4, 2
LETTER_ITEMS, LETTER_WINDOW = 10, 8
TRIPLE_SPAN = 4

EVIDENCE, DICE, LENGTH, WINDOWS, OVERLAP = 1, 2, 4, 8, 16  # gates that stop a rectangle


class Settings(NamedTuple):
    """The method's constants, in the order in which the kernel takes them."""

    window: int
    cell: int
    step: int
    radius: int
    cell_dice: int
    seed_dice: int
    gap: int
    theta: int
    factor: int
    drop: int
    moves: int
    border_cost: int
    evidence: int
    evidence_theta: int
    least_dice: int
    pseudo_window: int
    all_cells: int
    max_cells: int
    min_halves: int
    border_reach: int
    again_dice: int
    joint_reach: int
    row_cells: int
    again_share: int
    tries: int
    drift: int
    least_window: int
    slack: int
