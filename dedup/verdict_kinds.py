"""The kinds of verdicts, and the number that columns hold of each."""

from __future__ import annotations

import numpy as np

from dedup.model import VerdictKind

NAMES: tuple[VerdictKind, ...] = ("rendered-twice", "teaser", "navigation", "refrain", "template", "shared", "copy-of")
RENDERED, TEASER, NAVIGATION, REFRAIN, TEMPLATE, SHARED, COPY = range(7)
# Which of them are left out of content_share; the last one is of -1, none.
NO_CONTENT = np.array([number in (NAVIGATION, REFRAIN, TEMPLATE) for number in (*range(len(NAMES)), -1)])
