"""What Spark, its Java or its workers fail with, as one line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dedup.errors import DedupError, MissingExtraError, how_to_install

_OURS = re.compile(r"dedup\.errors\.(\w+): (.*)")
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)")
_CAUSE = re.compile(r"^(?:: |Caused by: )?((?:\w+\.)*\w*(?:Error|Exception|Exit|Killed)\b.*)$", re.MULTILINE)


class SparkError(DedupError):
    """Spark cannot run, or lost what it ran."""


@contextmanager
def clear_errors() -> Iterator[None]:
    """What fails on an executor is one line here, not the traces of two languages."""
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        yield
    except ImportError as error:  # of PySpark: a package, or its version
        raise MissingExtraError(f"a DataFrame of Spark needs more packages ({cause_of(str(error))})",
                                mend=how_to_install("spark", "pyarrow pandas")) from None
    except AnalysisException as error:
        raise SparkError(f"Spark cannot read the DataFrame ({cause_of(str(error))})") from None
    except OSError as error:
        if _is_interrupt(error):
            raise KeyboardInterrupt from None
        raise
    except (Py4JError, PySparkException) as error:
        if _is_interrupt(error):
            raise KeyboardInterrupt from None
        said = str(error)
        if missing := _MISSING.search(said):
            name = missing[1].partition(".")[0]
            package = "dedup-toolkit" if name == "dedup" else name
            raise SparkError(f"the executors have no package {name}", "", f"Install {package} for the Python that runs the "
                             "workers, or send it along with --archives; or set PYSPARK_PYTHON before the session begins "
                             f"(this Python is {sys.executable}).") from None
        if "stopped SparkContext" in said:
            raise SparkError("Spark has ended: its master did not answer, or ended it", "",
                             "See whether --master is right, and what Spark logs.") from None
        if ours := _OURS.search(said):
            raise SparkError(ours[2].strip()) from None
        raise SparkError(f"a task failed on Spark ({cause_of(said)})", "", "The executors' logs have the rest.") from None


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether an error came while py4j cleaned up after an interrupt."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def cause_of(said: str) -> str:
    """The last line of a trace that names an error."""
    if "OutOfMemoryError" in said or "TaskResultLost" in said:
        return "Java ran out of memory: spark.driver.memory and spark.executor.memory say how much it has"
    lines = _CAUSE.findall(said)
    return " ".join((lines[-1] if lines else said.strip().partition("\n")[0]).split())[:300]
