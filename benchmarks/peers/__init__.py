"""Our tool beside its peers, in one run on one machine: ``make bench-peers``, or ``python -m benchmarks.peers --help``."""
