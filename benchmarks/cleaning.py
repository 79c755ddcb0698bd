"""Whether cleaning can be trusted, on real pages: ``python -m benchmarks.cleaning DATA [--set NAME]...``.

`DATA` is a folder with a folder for each set: HTML (plain or gzip) or JSON lines with ``id`` and ``text``, or with ``pages``
that maps ids to texts, of which each becomes a record. JSON lines are cleaned as Parquet, too, where pyarrow is there. Each
set is cleaned for readers and for a corpus, and it is asked whether

- all of it comes back: every byte of plain files, the content of compressed ones, equal tables;
- a second cleaning takes nothing;
- every sentence of the input still stands: for readers on its page, for a corpus in one of the pages;
- the DOM of each HTML page is the old one without the cut elements.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dedup.api import clean, restore
from dedup.cleaning.manifest import Manifest
from dedup.kernel import kernel
from dedup.readers import open_pages
from dedup.readers.decode import declared_in_html, decoded

ROOT = Path(__file__).parent.parent
SHOWN = 5  # lost sentences of a set
AUDIENCES = ("readers", "corpus")


@dataclass
class Figures:
    """What was found of one cleaning; all but the first three should be 0, and there should be pages."""

    name: str
    pages: int
    removed: str
    not_restored: int = 0
    taken_again: int = 0
    lost: list[str] = field(default_factory=list)
    trees_changed: int = 0
    trees: int = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong; without a page nothing was tested."""
        return self.pages > 0 and not (self.not_restored or self.taken_again or self.lost or self.trees_changed)

    def __str__(self) -> str:
        return (f"{self.name:32} pages {self.pages:5,}  removed {self.removed:>7}  not restored {self.not_restored}  "
                f"taken again {self.taken_again}  sentences lost {len(self.lost)}  "
                f"trees changed {self.trees_changed} of {self.trees}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Clean all sets; 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cleaning", description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with a folder for each set")
    parser.add_argument("--set", action="append", dest="sets", metavar="NAME", help="only this set; may be given again")
    chosen = parser.parse_args(arguments)
    is_good = True
    for name, folder in sets_of(chosen.data):
        if chosen.sets and name not in chosen.sets:
            continue
        with tempfile.TemporaryDirectory() as place:
            for form, source in forms_of(folder, Path(place)):
                for audience in AUDIENCES:
                    figures = check(f"{name} {form} {audience}", source, Path(place) / "work", audience)
                    is_good &= figures.is_good
                    print(figures, *(f"    lost: {sentence[:99]}" for sentence in figures.lost[:SHOWN]), sep="\n", flush=True)
    return 0 if is_good else 1


def sets_of(data: Path) -> Iterator[tuple[str, Path]]:
    """The sets: folders of `data` that hold pages, and the examples of the project."""
    for folder in sorted(path for path in data.iterdir() if path.is_dir()):
        if _pages_in(folder):
            yield folder.name, folder
    yield "examples", ROOT / "examples"


def _pages_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.name.endswith((".html", ".html.gz", ".jsonl.gz", ".warc.gz"))
                  or (path.suffix == ".jsonl" and any(name in path.read_bytes()[:4096] for name in (b'"text"', b'"pages"'))))


def forms_of(folder: Path, place: Path) -> Iterator[tuple[str, Path]]:
    """Copies of a set in the formats in which it is cleaned."""
    if folder == ROOT / "examples":
        shutil.copytree(folder, place / "files")
        yield "files", place / "files"
        return
    (place / "files").mkdir()
    for path in _pages_in(folder):
        shutil.copy(path, place / "files" / path.name)
    records = [path for path in (place / "files").iterdir() if ".jsonl" in path.name]
    for path in records:
        unfold(path)
    yield "files", place / "files"
    try:
        import pyarrow.parquet
    except ImportError:
        return
    for path in records:
        (place / "parquet").mkdir(exist_ok=True)
        lines = [json.loads(line) for line in contents_of(path).splitlines()]
        table = pyarrow.table({name: [line.get(name) for line in lines] for name in ("id", "text")})
        pyarrow.parquet.write_table(table, place / "parquet" / f"{path.name.split('.')[0]}.parquet", row_group_size=200)
    if records:
        yield "parquet", place / "parquet"


def unfold(path: Path) -> None:
    """Write records that hold many pages anew, one record a page: ``pages`` maps the ids of a record to texts."""
    lines = contents_of(path).splitlines()
    if not any("pages" in json.loads(line) for line in lines):
        return
    pages = ({"id": f"{number}/{name}", "text": text} for number, line in enumerate(lines, 1)
             for name, text in json.loads(line)["pages"].items())
    data = "".join(json.dumps(page, ensure_ascii=False) + "\n" for page in pages).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def check(name: str, source: Path, place: Path, audience: Any) -> Figures:
    """Clean a folder, bring it back, clean the result."""
    shutil.rmtree(place, ignore_errors=True)
    settings: dict[str, Any] = {"for_": audience, "max_removed": 1.0}
    done = clean(source, place / "out", **settings)
    if done.manifest is None:  # no page could be read
        return Figures(name, 0, "0.0%")
    restore(done.manifest, place / "back")
    again = clean(place / "out", place / "again", **settings)
    sums = done.accounting
    figures = Figures(name, sums.read - sum(sums.skipped.values()), f"{sums.removed_share:.1%}")
    if not sums.is_balanced:
        raise AssertionError(f"{name}: the sums do not add up: {sums}")
    archives = tuple(entry.begin.name for entry in Manifest(done.manifest).files if entry.begin.form == "warc")
    before, after, left, twice = (contents(folder) for folder in (source, place / "back", place / "out", place / "again"))
    names = before.keys() | (after.keys() - set(archives))
    figures.not_restored = sum(before.get(file) != after.get(file) for file in names if ".warc" not in file)
    figures.taken_again = len(again.removals) + sum(left.get(file) != twice.get(file) for file in left.keys() | twice.keys())
    figures.lost = lost(source, place / "out", audience == "corpus")
    for changed in changed_trees(done.manifest, source):
        figures.trees += 1
        figures.trees_changed += changed
    return figures


def contents(folder: Path) -> dict[str, Any]:
    """What the files of a folder say, manifests left out: bytes, decompressed, and tables."""
    out: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or "manifest" in path.name:
            continue
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".parquet":
            import pyarrow.parquet

            table = pyarrow.parquet.read_table(path)
            out[name] = (table.schema.to_string(), table.to_pylist())
        else:
            data = path.read_bytes()
            out[name] = gzip.decompress(data) if path.suffix == ".gz" else data
    return out


def lost(before: Path, after: Path, is_corpus: bool) -> list[str]:
    """Sentences of the pages of a folder that do not stand in those of another: on the same page, or in any for a corpus."""
    left = {page.id: page.text for page in open_pages(after)}
    everything = Sentences("\n".join(left.values())) if is_corpus else None
    out = []
    for page in open_pages(before):
        held = everything or Sentences(left.get(page.id, ""))
        out += [f"{page.id}: {sentence}" for sentence, words in sentences(page.text) if words not in held]
    return out


def sentences(text: str) -> Iterator[tuple[str, bytes]]:
    """Each sentence of a text, and the hashes of its words."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    breaks = np.flatnonzero(data == ord("\n"))
    starts, ends, _ = kernel.sentences(data, np.append(0, breaks + 1), np.append(breaks, len(data)))
    hashes, first = kernel.hash_tokens(data, starts, ends, 0)
    for start, end, low, high in zip(starts.tolist(), ends.tolist(), first[:-1].tolist(), first[1:].tolist(), strict=True):
        if low < high:
            yield data[start:end].tobytes().decode("utf-8", "surrogatepass"), hashes[low:high].tobytes()


class Sentences:
    """The sentences of a text; of one that is joined to another one now, its words in a row do."""

    def __init__(self, text: str) -> None:
        found = [words for _, words in sentences(text)]
        self._known, self._words = set(found), b"".join(found)

    def __contains__(self, words: bytes) -> bool:
        at = -1 if words not in self._known else 0
        while words not in self._known and (at := self._words.find(words, at + 1)) >= 0 and at % 8:
            continue
        return at >= 0


def changed_trees(manifest: Path, source: Path) -> Iterator[bool]:
    """For each HTML page of which something went, whether its tree is another one than the old one without what went."""
    record = Manifest(manifest)
    for entry in record.files:
        if entry.begin.form != "html" or entry.end.state != "cut":
            continue
        data = contents_of(source / entry.begin.name)
        cuts, at = [], 0  # places in the output become those of the source
        for cut in record.cuts(entry):
            cuts.append((cut.offset + at, cut.offset + at + len(cut.content)))
            at += len(cut.content)
        left = contents_of(manifest.parent / entry.begin.name)
        gone = {at for a, b in cuts for at in range(len(source_of(data, a)), len(source_of(data, b)))}
        yield tree(source_of(left)) != tree(source_of(data), gone)


def source_of(data: bytes, end: int | None = None) -> str:
    """An HTML page's source as parsers see it, line ends as line feeds; of `data` up to a byte."""
    page = decoded(data, declared_in_html(data))
    text = data[page.mark:end].decode(page.codec, page.errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def tree(source: str, gone: Collection[int] = ()) -> list[tuple[int, str, str]]:
    """Depth, tag and attributes of each element in document order, but of those that begin at code points that went.

    What is in these is left out, too, and so are empty elements without a place: the parser made them up.
    """
    import turbohtml

    document = turbohtml.parse(source, source_locations=True, allow_declarative_shadow_roots=False)

    def goes(node: Any) -> bool:
        return bool(node.source_location) and node.source_location.start_tag.start_offset in gone
    out: list[tuple[int, str, str]] = []
    stack: list[tuple[Any, int]] = [(document.root, 0)]
    while stack:
        node, depth = stack.pop()
        if goes(node):
            continue
        elements = [child for child in node.children if isinstance(child, turbohtml.Element)]
        texts = [child for child in node.children if isinstance(child, turbohtml.Text)]
        place = node.source_location
        if place or any(not goes(child) for child in elements) or any(text.data.strip() for text in texts):
            out.append((depth, node.tag, str(sorted(node.attrs.items()) if place else "")))
            stack += [(child, depth + 1) for child in reversed(elements)]
    return out


def contents_of(path: Path) -> bytes:
    """The content of a file, decompressed."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


if __name__ == "__main__":
    sys.exit(main())
