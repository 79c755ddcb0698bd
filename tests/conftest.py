"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Examples are the same in every run; `make test-soak` asks for many more, of another draw.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", deadline=None, max_examples=5000, print_blob=True)
settings.load_profile(os.environ.get("DEDUP_HYPOTHESIS", "repeatable"))
