"""A persistent index: have we seen this page, or a part of it, before?

>>> import tempfile
>>> from pathlib import Path
>>> place = Path(tempfile.mkdtemp()) / "site.dedup"
>>> with Index.create(place) as index:
...     _ = index.add([{"id": "a", "text": "These same eight words stand on both pages."}])
...     report = index.check("One page says more. These same eight words stand on both pages. It goes on for a while.")
>>> [(o.page, o.start, o.end) for o in report.groups[0].occurrences]
[('a', 0, 43), ('0', 20, 63)]
"""

from __future__ import annotations

from dedup.index.adding import Added
from dedup.index.index import Index
from dedup.index.rescue import rebuild
from dedup.index.store import Info, Verified

__all__ = ["Added", "Index", "Info", "Verified", "rebuild"]
