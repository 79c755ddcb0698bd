"""How long the stages take: seconds a megabyte of text, as measured, corrected by what was seen so far."""

from __future__ import annotations

import os

# Seconds of one thread a MB of text (benchmarks/corpus.py, 100 MB; docs/design/performance.md). Only their ratios matter
# once a stage has ended: what it took corrects the others.
SECONDS = {"read": 0.012, "exact runs": 0.009, "near blocks": 0.012, "near pages": 0.010, "join": 0.004,
           "edited passages": 0.030, "groups": 0.008, "verdicts": 0.003, "near misses": 0.003, "plan": 0.01, "write": 0.01}
REWORDED = 2.5  # times the seconds of edited passages
LEAST_SEEN = 0.2  # seconds that must have been seen before they correct anything


class Forecast:
    """What the stages of one scan will take.

    Args:
        threads: That work.
        reworded: Reworded passages are looked for too.
    """

    def __init__(self, threads: int | None = None, reworded: bool = False) -> None:
        self._threads, self._reworded = threads or os.cpu_count() or 1, reworded
        self._forecast = self._taken = 0.0

    def seconds(self, stage: str, text_bytes: int) -> float:
        """Wall time of a stage over so many bytes of text."""
        return self._plain(stage, text_bytes) * self.slower

    def ended(self, stage: str, text_bytes: int, seconds: float) -> None:
        """A stage took so long; of reading, which depends on the format more than on the machine, nothing is learnt."""
        if stage != "read":
            self._forecast += self._plain(stage, text_bytes)
            self._taken += seconds

    @property
    def slower(self) -> float:
        """How many times longer the stages took than the table says."""
        return self._taken / self._forecast if self._taken >= LEAST_SEEN else 1.0

    def _plain(self, stage: str, text_bytes: int) -> float:
        more = REWORDED if self._reworded and stage == "edited passages" else 1.0
        return SECONDS.get(stage, 0.003) * more * text_bytes / 1e6 / self._threads + 0.02
