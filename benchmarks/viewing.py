"""The report to look at, by number of groups: ``python -m benchmarks.viewing GROUPS`` prints figures as JSON.

Each group is a passage on two pages of an invented site, every third one edited, every seventh one twice on its page; words
are as unevenly frequent as a language's, because the size of the file hangs on that.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

VOCABULARY = 8_000
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-precise-memory-info"]
OPENED = 3  # times


def pages(groups: int, seed: int = 0) -> Iterator[dict[str, str]]:
    """The pages of the site, two a group."""
    rng = np.random.default_rng([seed, 11])
    letters = list("etaoinshrdlucmfwypvbgk")
    words = ["".join(rng.choice(letters, size=rng.integers(2, 11))) for _ in range(VOCABULARY)]
    share = 1 / np.arange(1, VOCABULARY + 1)
    share /= share.sum()

    def text(count: int) -> list[str]:
        return [words[n] for n in rng.choice(VOCABULARY, size=count, p=share).tolist()]

    for g in range(groups):
        passage = text(int(rng.integers(30, 120)))
        copy = list(passage)
        for at in rng.integers(0, len(copy), 4 if g % 3 == 0 else 0).tolist():
            copy[at] = words[int(rng.integers(VOCABULARY))]
        first = [text(40), passage, text(30), *([passage] if g % 7 == 0 else [])]
        for name, blocks in (("a", first), ("b", [text(30), copy, text(40)])):
            folder = (g if name == "a" else 7 * g) % 40
            body = "\n\n".join(" ".join(block) + "." for block in blocks)
            yield {"id": f"part-{folder}/page-{g}-{name}.html", "text": body}


def measure(groups: int) -> dict[str, Any]:
    """Sizes and times of the report of a site."""
    import dedup

    report = dedup.scan(list(pages(groups)))
    report.to_html()  # once, so that what is made on demand is there
    begun = time.process_time()
    html = report.to_html()
    figures = {"groups": len(report.groups), "pages": len(report.pages), "write_cpu": time.process_time() - begun,
               "bytes": len(html.encode()), "json_bytes": len(report.to_json().encode())}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_text(html, encoding="utf-8")
        return figures | opening(file)


def opening(file: Path) -> dict[str, Any]:
    """How long a browser takes from the address to the drawn report, and the memory of its script."""
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        browser_path = None
    if browser_path is None:
        return {"open": None, "heap_bytes": None}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        times, heap = [], 0
        for _ in range(OPENED):
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            begun = time.perf_counter()
            tab.goto(file.as_uri())
            tab.wait_for_selector("html[data-ready]")
            times.append(time.perf_counter() - begun)
            heap = tab.evaluate("() => performance.memory.usedJSHeapSize")
            tab.close()
        browser.close()
    return {"open": statistics.median(times), "heap_bytes": heap}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
