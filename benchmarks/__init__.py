"""Benchmarks: a corpus with planted copies, and what measures `dedup` on it."""
