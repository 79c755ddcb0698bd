"""The rules of the SARIF log: a rule a verdict, and one for repeats of which no verdict is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["note", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        name: Its identifier, which never changes.
        level: ``warning`` for what is mostly worth mending, ``note`` for what is mostly meant to be so.
        short, full: What it finds.
        help: What can be done.
    """

    name: str
    level: Level
    short: str
    full: str
    help: str

    def descriptor(self) -> dict[str, Any]:
        """The rule as a reporting descriptor."""
        title = "".join(word.capitalize() for word in ("dedup", *self.name.split("-")))  # no name may be its id
        return {"id": self.name, "name": title, "shortDescription": {"text": self.short},
                "fullDescription": {"text": self.full}, "help": {"text": f"{self.full} {self.help}"},
                "defaultConfiguration": {"level": self.level}, "properties": {"tags": ["duplication"]}}


RULES: dict[str, Rule] = {rule.name: rule for rule in (
    Rule("rendered-twice", "warning", "A section stands on its page twice",
         "A section of two blocks and forty words or more stands on the same page again, in the same order.",
         "Keep one of the copies. Copies for phones and for desktops can be one, shown by style."),
    Rule("copy-of", "warning", "The page is a copy of another page",
         "Nine tenths of the words of both pages are the same.",
         "Keep one page, and let the other point to it."),
    Rule("shared", "warning", "A passage stands on several pages",
         "The same passage, or an edited copy of it, stands on several pages, and is not part of their template.",
         "Write it once and include it, or link to it. If the copies are meant to be, take them into the baseline."),
    Rule("repeat", "note", "A passage stands in several places",
         "The same passage, or an edited copy of it, stands in several places; no verdict says what it amounts to.",
         "Look whether the places still say the same, and whether one of them is enough."),
    Rule("teaser", "note", "A teaser repeats its text",
         "A piece of a longer text of the page is shown on its own, or a link points to a heading of the page.",
         "Mostly it is meant to be so."),
    Rule("navigation", "note", "A menu stands on its page twice",
         "Menus, lists of links, filters, forms or consent notices stand on the page twice.",
         "Mostly one of them is for other devices; one can serve all."),
    Rule("refrain", "note", "A refrain of the page",
         "Labels, table heads, conditions in every card, quotes, signatures or code in steps, which an editor would leave.",
         "Mostly it is meant to be so."),
    Rule("template", "note", "The template of the site",
         "A text that many pages of a site have in common, such as their header, footer or cookie notice.",
         "Nothing is to be done on the page itself."),
)}

NOTIFICATIONS = {
    "unreadable": "An input could not be read, or not without a fault.",
    "left-out": "Inputs were read and not compared.",
    "outside": "Sources lie outside of the repository.",
    "more-results": "There are more results than the log holds.",
}

__all__ = ["NOTIFICATIONS", "RULES", "Rule"]
