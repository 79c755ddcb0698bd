"""Ids that are taken: two pages of one id are told apart, and it is counted."""

from __future__ import annotations

from dataclasses import replace

from dedup.heads import Heads, RecordHeads, Strings, Utf8
from dedup.model import Page


class Naming:
    """Gives pages other ids where theirs are taken: the name of what was scanned before it, or ``#2`` behind it.

    Args:
        several_roots: More than one place was named.

    Attributes:
        renamed: Pages that got another id.
    """

    def __init__(self, several_roots: bool = False) -> None:
        self._several_roots, self.renamed = several_roots, 0
        self._next: dict[str, int] = {}  # id -> number that the next page of that id gets

    def page(self, page: Page) -> Page:
        """The page, under another id where its own is taken."""
        name = self._name(page.id, page.site, page.record)
        return page if name == page.id else replace(page, id=name)

    def records(self, heads: RecordHeads) -> None:
        """Give records other ids where theirs are taken."""
        fresh = dict.fromkeys(heads.ids.texts(), 2)
        if len(fresh) == len(heads) and self._next.keys().isdisjoint(fresh):
            self._next.update(fresh)
        else:
            pages = [heads.page(row, "") for row in range(len(heads))]
            heads.ids = Utf8.of([self._name(page.id, page.site, page.record) for page in pages])

    def all(self, heads: Heads, begin: int, end: int) -> None:
        """The same for some pages, of which none was named yet."""
        ids = heads.ids[begin:end]
        if len(set(ids)) < len(ids):
            sites = heads.sites.some(range(begin, end))
            names = [self._name(name, site, heads.in_line(row))
                     for row, (name, site) in enumerate(zip(ids, sites, strict=True), begin)]
            others = heads.ids[:begin], heads.ids[end:]
            heads.ids = Strings()
            heads.ids.extend(Utf8.of([*others[0], *names, *others[1]]))

    def forget(self) -> None:
        """No page comes any more: a hundred bytes for each are given back."""
        self._next = {}

    def _name(self, name: str, root: str, record: bool) -> str:
        ids = self._next
        if name not in ids:
            ids[name] = 2
            return name
        self.renamed += 1
        name = f"{root}/{name}" if self._several_roots and not record and root else name
        if name in ids:
            number = ids[name]
            while f"{name}#{number}" in ids:
                number += 1
            ids[name] = number + 1
            name = f"{name}#{number}"
        ids[name] = 2
        return name
