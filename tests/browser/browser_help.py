"""What the tests of the viewer share: the system's browser, a page that counts what must not happen, and made-up sites."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scan_help import edited, lines, prose

ROOT = Path(__file__).parents[2]
AXE = ROOT / "viewer" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
if hasattr(os, "geteuid") and os.geteuid() == 0:
    FLAGS.append("--no-sandbox")  # Chromium has none for root

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="LOUD: report.html is not opened: there is no Chromium")


@contextlib.contextmanager
def started_browser() -> Iterator[Any]:
    """The system's Chromium, driven by Playwright."""
    api = pytest.importorskip("playwright.sync_api", reason="LOUD: report.html is not opened: Playwright is not there")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Opened:
    """A report in a window, and all that it did which it must not do: requests, dialogs, errors, words on the console."""

    def __init__(self, browser: Any, file: Path, hash_: str = "", width: int = 1280, height: int = 900,
                 **context: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, **context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.wrong: list[str] = []
        own = file.absolute().as_uri()
        self.page.on("request", lambda r: r.url.split("#")[0] == own or self.wrong.append(f"request {r.url[:200]}"))
        self.page.on("dialog", lambda d: (self.wrong.append(f"dialog {d.message}"), d.dismiss()))
        self.page.on("pageerror", lambda e: self.wrong.append(f"error {e}"))
        self.page.on("console", lambda m: self.wrong.append(f"console {m.type} {m.text}"))
        self.page.on("popup", lambda p: self.wrong.append("popup"))
        self.page.goto(own + hash_)
        self.page.wait_for_selector("html[data-ready]")

    def go(self, hash_: str) -> None:
        """Another part of the report, as a link leads to it."""
        self.page.evaluate("hash => { location.hash = hash }", hash_)
        self.settle()

    def settle(self) -> None:
        """Until what was asked for is drawn."""
        for _ in range(2):
            self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")

    def until(self, expression: str) -> None:
        """Until something holds; asked from outside, as the report's policy lets nobody evaluate a text inside."""
        for _ in range(600):
            if self.page.evaluate(f"() => Boolean({expression})"):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"it never holds: {expression}")

    def is_titled(self, title: str) -> bool:
        """Whether the part with this title comes."""
        self.page.locator("h1", has_text=re.compile(f"^{re.escape(title)}$")).wait_for()
        return True

    def text(self, selector: str = "main") -> str:
        return str(self.page.inner_text(selector))

    def violations(self) -> list[str]:
        """What axe-core has to object to."""
        if not AXE.exists():
            return []
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [f"{one['id']}: {[node['target'] for node in one['nodes'][:3]]} {one['nodes'][0].get('failureSummary')}"
                for one in found["violations"]]

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(self.page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def close(self) -> None:
        self.context.close()


def site(pages: int = 300) -> list[dict[str, str]]:
    """A site with everything: a template, twins, edited copies, sections that stand twice, shared passages, lone pages."""
    head, foot = f"Welcome to the site. {prose(14, 1)}", f"Imprint. {prose(30, 2)}"
    out = []
    for n in range(pages):
        body = [prose(60, 1000 + n), prose(40, 5000 + n)]
        if n % 10 == 3:
            body = [prose(60, 1000 + n - 1), edited(prose(40, 5000 + n - 1), [3, 11, 25])]  # an edited copy of the one before
        if n % 7 == 0:
            body += [prose(35, 9000 + n % 21)]  # shared
        if n % 25 == 0:
            body += [*body[:2], prose(12, 20_000 + n)]  # the article again
        out.append({"id": f"part-{n % 12}/page-{n:03}.html", "text": lines(head, *body, foot)})
    return out
