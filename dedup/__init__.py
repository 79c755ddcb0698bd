"""Find passages that stand more than once, within a page and across pages, exactly or nearly.

Text is a ``str``, a place is a ``Path``:

>>> report = scan([{"id": "a", "text": "These same eight words stand on both pages."},
...                {"id": "b", "text": "One page says more. These same eight words stand on both pages. "
...                                     "It goes on for a while."}])
>>> [(o.page, o.start, o.end) for o in report.groups[0].occurrences]
[('a', 0, 43), ('b', 20, 63)]

Names are loaded when they are first used, so that importing the package is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from dedup.api import clean as clean
    from dedup.api import compare as compare
    from dedup.api import restore as restore
    from dedup.api import scan as scan
    from dedup.errors import DedupError as DedupError
    from dedup.errors import GuardError as GuardError
    from dedup.errors import InputError as InputError
    from dedup.errors import OptionError as OptionError
    from dedup.index import Index as Index
    from dedup.lsh import LSH as LSH
    from dedup.minhash import MinHasher as MinHasher
    from dedup.model import Page as Page
    from dedup.options import Options as Options
    from dedup.profile import Profile as Profile
    from dedup.readers import open_pages as open_pages
    from dedup.report import Report as Report
    from dedup.shingles import Shingler as Shingler
    from dedup.stages import Watcher as Watcher
    from dedup.verify import Verifier as Verifier

_HOMES = {
    "scan": "api", "compare": "api", "clean": "api", "restore": "api",
    "Report": "report", "Page": "model", "Options": "options", "open_pages": "readers",
    "Shingler": "shingles", "MinHasher": "minhash", "LSH": "lsh", "Verifier": "verify", "DedupError": "errors",
    "InputError": "errors", "OptionError": "errors", "GuardError": "errors", "Profile": "profile", "Watcher": "stages",
    "Index": "index",
}
__all__ = ["LSH", "DedupError", "GuardError", "Index", "InputError", "MinHasher", "OptionError", "Options", "Page", "Profile",
           "Report", "Shingler", "Verifier", "Watcher", "__version__", "clean", "compare", "open_pages", "restore", "scan"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dedup' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"dedup.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
