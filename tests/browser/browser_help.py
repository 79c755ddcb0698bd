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
         "--disable-component-update", "--disable-sync",
         "--disable-gpu-vsync", "--disable-frame-rate-limit"]
if hasattr(os, "geteuid") and os.geteuid() == 0:
    FLAGS.append("--no-sandbox")  # Chromium has none for root

# Resolved when what was asked for is drawn: behind two frames.
DRAWN = """async () => {
    for (let n = 0; n < 2; n++) await new Promise(done => requestAnimationFrame(() => setTimeout(done)))
}"""

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="LOUD: report.html is not opened: there is no Chromium")


@contextlib.contextmanager
def started_browser() -> Iterator[Any]:
    """The system's Chromium, driven by Playwright."""
    api = pytest.importorskip("playwright.sync_api", reason="LOUD: report.html is not opened: Playwright is not there")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Windows:
    """Windows of one browser; to open one takes longer than to load a report, so they are used again, emptied."""

    def __init__(self, browser: Any) -> None:
        self.browser, self.free, self.opened = browser, list[Any](), 0

    def take(self, width: int, height: int, color_scheme: str, reduced_motion: str) -> Any:
        """A window of a size, with what the system asks for; what it shows is to be left."""
        self.opened += 1
        page = self.free.pop() if self.free else self.browser.new_context().new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(media="null", color_scheme=color_scheme, reduced_motion=reduced_motion)
        return page

    def give_back(self, page: Any) -> None:
        """Forget what a report kept."""
        page.evaluate("localStorage.clear()")
        self.free.append(page)


class Opened:
    """A report in a window, and all that it did which it must not do: requests, dialogs, errors, words on the console."""

    def __init__(self, windows: Windows, file: Path, hash_: str = "", width: int = 1280, height: int = 900,
                 color_scheme: str = "light", reduced_motion: str = "no-preference") -> None:
        self.windows = windows
        self.page = windows.take(width, height, color_scheme, reduced_motion)
        self.page.set_default_timeout(30_000)
        self.wrong: list[str] = []
        own = f"{file.absolute().as_uri()}?{windows.opened}"  # never the address before: only that is loaded anew
        self._hears = {
            "request": lambda r: r.url.split("#")[0] == own or self.wrong.append(f"request {r.url[:200]}"),
            "dialog": lambda d: (self.wrong.append(f"dialog {d.message}"), d.dismiss()),
            "pageerror": lambda e: self.wrong.append(f"error {e}"),
            "console": lambda m: self.wrong.append(f"console {m.type} {m.text}"),
            "popup": lambda p: self.wrong.append("popup")}
        for event, hear in self._hears.items():
            self.page.on(event, hear)
        self.page.goto(own + hash_, wait_until="commit")
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def go(self, hash_: str) -> None:
        """Another part of the report, as a link leads to it."""
        self.page.evaluate(f"hash => {{ location.hash = hash; return ({DRAWN})() }}", hash_)

    def settle(self) -> None:
        """Until what was asked for is drawn."""
        self.page.evaluate(DRAWN)

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

    def violations(self, colours_only: bool = False) -> list[str]:
        """What axe-core has to object to."""
        if not AXE.exists():
            return []
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        asked: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}  # there is nothing to load
        if colours_only:
            asked["runOnly"] = {"type": "tag", "values": ["cat.color"]}
            asked["rules"] = {"color-contrast-enhanced": {"enabled": False}}
        found = self.page.evaluate("asked => axe.run(document, asked)", asked)
        return [f"{one['id']}: {[node['target'] for node in one['nodes'][:3]]} {one['nodes'][0].get('failureSummary')}"
                for one in found["violations"]]

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(self.page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def close(self) -> None:
        """Give the window back; what was heard stays."""
        if self.page is None:
            return
        for event, hear in self._hears.items():
            self.page.remove_listener(event, hear)
        self.windows.give_back(self.page)
        self.page = None


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
