"""Our engine on Spark beside that of one machine and a job as users write it by hand: ``python -m benchmarks.spark``."""
