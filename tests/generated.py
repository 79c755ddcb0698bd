"""Small collections of pages that repeat themselves in every way that cleaning has to bear, made at random."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

WORDS = [
    "ferry", "harbour", "bridge", "night", "train", "river", "loaf", "baker", "lamp", "window", "street", "tower",
    "smoke", "customs", "door", "blue", "painter", "winter", "repair", "foundry", "valley", "engineer", "drawing",
    "attic", "crowd", "band", "mayor", "ticket", "station", "platform", "timetable", "delay", "coach",
]
LABELS = ["Thumbnail", "Read more", "Home", "News", "Share", "Photo: A. Smith", "He agreed.", "42", "C#", "-5 °C", "Yes!"]
BLOCKS = ["<p>{}</p>", "<p>{}</p>", "<p>{}", "<div>{}</div>", "{}<br>", "<h2>{}</h2>", "{} ", '<p>{}<img src="a.png"></p>']
ALL = ("rendered-twice", "teaser", "navigation", "refrain", "template", "shared", "copy-of")
FORMS = ("html", "md", "txt", "jsonl", "csv")


class Maker:
    """Makes pages out of one stock of sentences."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.stock = [self._sentence(rng.randint(5, 16)) for _ in range(rng.randint(3, 12))]
        self.sections = [[self._paragraph() for _ in range(rng.randint(1, 5))] for _ in range(rng.randint(1, 3))]
        self.menu = [rng.choice(LABELS) for _ in range(rng.randint(3, 7))]

    def _sentence(self, size: int) -> str:
        words = [self.rng.choice(WORDS) for _ in range(size)]
        return f"{' '.join(words).capitalize()}{self.rng.choice('....!?')}"

    def _near(self, text: str) -> str:
        words = text.split()
        words[self.rng.randrange(len(words))] = self.rng.choice(WORDS)
        return " ".join(words)

    def _paragraph(self) -> str:
        rng = self.rng
        if rng.random() < 0.2:
            return rng.choice(LABELS)
        chosen = [rng.choice(self.stock) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
        return " ".join(chosen)

    def _section(self) -> list[str]:
        section = list(self.rng.choice(self.sections))
        if self.rng.random() < 0.3 and section:
            at = self.rng.randrange(len(section))
            change = self.rng.choice(["near", "less", "more"])
            if change == "near":
                section[at] = self._near(section[at])
            elif change == "less":
                del section[at]
            else:
                section.insert(at, self._paragraph())
        return section

    def page(self, form: str) -> str:
        """A page's source."""
        parts = []
        for _ in range(self.rng.randint(1, 6)):
            kind = self.rng.choice(["section", "section", "section", "paragraphs", "menu", "list", "table", "quote"])
            lines = (self.menu if kind == "menu" else self._section() if kind in ("section", "list", "table", "quote")
                     else [self._paragraph() for _ in range(self.rng.randint(1, 3))])
            if lines:
                parts.append(getattr(self, f"_{form}")(kind, list(lines)))
        return ("\n" if form == "html" else "\n\n").join(parts) + self.rng.choice(["", "\n"])

    def _txt(self, kind: str, lines: list[str]) -> str:
        if kind in ("list", "menu"):
            return "\n".join(f"- {line}" for line in lines)
        return self.rng.choice(["\n\n", "\n\n", "\n", " "]).join(lines)

    def _md(self, kind: str, lines: list[str]) -> str:
        rng = self.rng
        if kind == "menu":
            return "\n".join(f"- [{line}](/{i})" for i, line in enumerate(lines))
        if kind == "list":
            mark = rng.choice(["- ", "1. ", "* "])
            return rng.choice(["\n", "\n\n"]).join(
                f"{'  ' * (i % 2 and rng.random() < 0.3)}{mark}{line}" for i, line in enumerate(lines))
        if kind == "table":
            return "\n".join(["| a | b |", "|---|---|", *(f"| {x} | {rng.choice(lines)} |" for x in lines)])
        if kind == "quote":
            return "\n>\n".join(f"> {line}" for line in lines)
        head = f"## {lines.pop(0)}\n\n" if rng.random() < 0.3 and len(lines) > 1 else ""
        return head + rng.choice(["\n\n", "\n\n", "\n", " "]).join(lines)

    def _html(self, kind: str, lines: list[str]) -> str:
        rng = self.rng
        gap = rng.choice(["", "\n", "\n  "])
        if kind == "menu":
            items = gap.join(f'<li><a href="/{i}">{line}</a>' + rng.choice(["</li>", ""]) for i, line in enumerate(lines))
            return f"<{rng.choice(['nav', 'div'])}><ul>{items}</ul></div>"
        if kind == "list":
            return f"<ul>{gap.join(f'<li>{line}' for line in lines)}</ul>"
        if kind == "table":
            width = rng.randint(1, 3)
            rows = [lines[i:i + width] for i in range(0, len(lines), width)]
            closed = rng.choice(["</td>", ""])
            return "<table>" + gap.join("<tr>" + "".join(f"<td>{x}{closed}" for x in row) for row in rows) + "</table>"
        if kind == "quote":
            return f"<blockquote>{gap.join(f'<p>{line}' for line in lines)}</blockquote>"
        inner = gap.join(self._block(line) for line in lines)
        wrap = rng.choice(["", "section", "div", "article", "span"])
        return f"<{wrap}>{inner}</{wrap}>" if wrap else inner

    def _block(self, line: str) -> str:
        rng = self.rng
        if rng.random() < 0.2:
            words = line.split()
            at = rng.randrange(len(words))
            words[at] = f"<{(tag := rng.choice(['b', 'em', 'a']))}>{words[at]}</{tag}>"
            line = " ".join(words)
        return rng.choice(BLOCKS).format(line)


def write_collection(rng: Random, folder: Path, form: str) -> None:
    """A few pages in files of a format, or records in one file."""
    maker = Maker(rng)
    count = rng.choice([1, 1, 2, 3, 4, 6])
    folder.mkdir(parents=True, exist_ok=True)
    if form in ("html", "md", "txt"):
        for i in range(count):
            (folder / f"{i}.{form}").write_text(maker.page(form), "utf-8")
        return
    pages = [maker.page("txt") for _ in range(count)]
    if form == "jsonl":
        records = ({"id": str(i), "n": rng.randint(0, 3), "text": page} for i, page in enumerate(pages))
        data = "".join(json.dumps(record) + "\n" for record in records)
    else:
        data = "id,n,text\n" + "".join(f'{i},{rng.randint(0, 3)},"{page.replace(chr(34), chr(34) * 2)}"\n'
                                       for i, page in enumerate(pages))
    (folder / f"pages.{form}").write_text(data, "utf-8")


def write_markup_records(rng: Random, folder: Path, form: str) -> None:
    """Records whose text fields are pages of a format."""
    maker = Maker(rng)
    folder.mkdir(parents=True, exist_ok=True)
    records = ({"id": str(i), "n": rng.randint(0, 3), "text": maker.page(form)} for i in range(rng.choice([1, 2, 3, 5])))
    (folder / "p.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")


def settings_of(rng: Random, form: str) -> dict[str, object]:
    """Settings of a cleaning."""
    keeps = ["first", "first", "longest", *(["n:min", "n:max"] if form in ("jsonl", "csv") else [])]
    return {"for_": rng.choice(["readers", "corpus"]), "what": rng.choice(["exact", "exact", "near"]),
            "drop": rng.choice(["passages", "passages", "passages", "pages"]), "keep": rng.choice(keeps), "max_removed": 1.0,
            "verdicts": rng.choice([(), (), (), ("rendered-twice", "shared"), ("template",), ("refrain", "teaser"),
                                    ("shared",), ("navigation", "template"), ALL])}
