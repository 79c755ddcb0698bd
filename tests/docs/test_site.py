"""The documentation site: what it is laid out from, where its pages stand, that it builds."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

import dedup

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_nav(entries, depth=0):
    """Each page of the navigation, and how deep it stands."""
    for entry in entries:
        for value in entry.values():
            if isinstance(value, str):
                yield value, depth
            else:
                yield from in_nav(value, depth + 1)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "source"
    script("make_site").lay_out(folder)
    return folder


def test_every_page_is_two_clicks_away(source):
    """A section, and a page in it; none is left out, none is named twice."""
    named = dict(in_nav(CONFIG["nav"]))
    assert len(named) == len(list(in_nav(CONFIG["nav"])))
    assert set(named) == {page.relative_to(source).as_posix() for page in source.rglob("*.md")}
    assert max(named.values()) <= 1


def test_files_that_pages_link_to_come_along(source):
    assert (source / "examples" / "news.txt").read_bytes() == (ROOT / "examples" / "news.txt").read_bytes()
    assert (source / "docs" / "pictures" / "threshold-curves.svg").exists()
    assert (source / "LICENSE").exists()


def test_each_public_name_is_in_the_reference(source):
    text = (source / "docs" / "api.md").read_text(encoding="utf-8")
    names = [name for name in dedup.__all__ if not name.startswith("_") and hasattr(getattr(dedup, name), "__module__")]
    assert len(names) >= 18
    for name in names:
        assert re.search(rf"^::: dedup\.[\w.]+\.{name}$", text, re.M), name


class Ids(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.links = set(), set()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.add(given.get("id"))
        if tag in ("a", "img"):
            self.links.add(given.get("href") or given.get("src") or "")


def test_the_site_builds_without_a_warning_and_its_links_lead_somewhere(source):
    """Strict; and what came out of it is looked at again, API and navigation too."""
    pytest.importorskip("zensical", reason="LOUD: zensical is not installed (extra docs): the site is not built")
    pytest.importorskip("mkdocstrings_handlers", reason="LOUD: mkdocstrings is not installed (extra docs)")
    text = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    site = source.parent / "html"
    config = source.parent / "zensical.toml"  # the same, elsewhere: a `make docs` beside it is not disturbed
    text = text.replace('"build/site/source"', '"source"').replace('"build/site/html"', '"html"')
    text = text.replace('paths = ["."]', f'paths = ["{ROOT.as_posix()}"]')
    text = text.replace('"scripts/', f'"{ROOT.as_posix()}/scripts/')
    config.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "-f", config], cwd=source.parent,
                          capture_output=True, encoding="utf-8", check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "No issues found" in said
    assert not re.search(r"warning|griffe:|error", said, re.I), said
    pages = {}
    for page in site.rglob("*.html"):
        pages[page.resolve()] = Ids()
        pages[page.resolve()].feed(page.read_text(encoding="utf-8"))
    assert len(pages) > 30
    for page, found in pages.items():
        if page.name == "404.html":
            continue
        for link in found.links:
            if re.match(r"[a-z]+:|//|$", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists() or (target / "index.html").exists(), (page, link)
            if anchor and target in pages and not anchor.startswith("__"):
                assert anchor in pages[target].ids, (page, link)


@pytest.mark.slow
def test_the_pictures_of_the_threshold_are_those_of_its_script():
    for path, text in script("make_threshold").made().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: run python scripts/make_threshold.py"
