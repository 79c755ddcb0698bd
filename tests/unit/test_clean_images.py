"""One picture in two sizes is one picture."""

from __future__ import annotations

import pytest

from dedup.cleaning.outline import one_size


@pytest.mark.parametrize(("one", "other", "same"), [
    ("src=/a/b-400.jpg", "src=/a/b-1200.jpg", True), ("src=/a/b-400x300.jpg?v=1", "src=/a/b-800x600.jpg", True),
    ("src=/a/b_small.png", "src=/a/b_large.png", True), ("src=/a/b@2x.png", "src=/a/b.png", True),
    ("src=/a/b-400w.webp", "src=/a/b.webp", True), ("src=/a/IMG_1234.jpg", "src=/a/IMG_1235.jpg", False),
    ("src=/a/b-1.jpg", "src=/a/b-2.jpg", False), ("src=/a/b-400.jpg", "src=/a/c-400.jpg", False),
    ("src=/image.php?id=1&w=400", "src=/image.php?id=1&w=800", True), ("src=/image.php?id=1", "src=/image.php?id=2", False),
    ("src=/400.jpg", "src=/1200.jpg", False), ("src=/a/mobile.jpg", "src=/a/desktop.jpg", False),
])
def test_sizes_are_left_out_of_addresses(one: str, other: str, same: bool) -> None:
    assert (one_size(one) == one_size(other)) == same
