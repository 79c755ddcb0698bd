"""A passage that ends on a character reference ends behind it in the source, whatever stands next to it."""

from __future__ import annotations

import json

import pytest

import dedup

WORDS = "one two three four five six seven eight nine ten eleven"
REFERENCES = [("caf&eacute;", "café"), ("twelv&#101;", "twelve"), ("3&#53;", "35"), ("3&#x33;", "33"), ("3&#x0033;", "33")]
BEHIND = [("caf&eacute", "", "café"), ("twelve&period;", "", "twelve."), ("twelve&semi;", "", "twelve;"),
          ("caf&eacute;", "<!-- -->", "café"),
          ("<b>caf&eacute;", "</b>", "café"), ("caf&eacute;", "&#32;", "café"), ("caf&eacute;", "\r\n", "café"),
          ("twelve", "<!-- no -->", "twelve"), ("twelve", "<b></b>", "twelve"), ("twelve", "<!-- -->&#32;", "twelve"),
          ("twelve", "<!-- --> &zzz;", "twelve")]


def ends_of(path, text, **settings):
    """The ends of the first of two places in the text of its file, and what stands there in the source."""
    group, = dedup.scan(path, **settings).groups
    place = group.occurrences[0]
    assert place.source_exact
    source = text[place.source_start:place.source_end]
    return place.text.removeprefix(WORDS + " "), source.split(" eleven ")[1]


@pytest.mark.parametrize(("written", "behind", "said"), [*((written, "", said) for written, said in REFERENCES), *BEHIND])
def test_in_html(written, behind, said, tmp_path):
    path = tmp_path / "page.html"
    text = (f"<p>Alpha beta gamma {WORDS} {written}{behind} and the end was near</p>\r\n"
            f"<p>Intro here {WORDS} {said} with the rest of it, which is quite another matter</p>")
    path.write_bytes(text.encode())
    assert ends_of(path, text) == (said, written)


@pytest.mark.parametrize(("written", "said"), REFERENCES)
def test_in_markdown(written, said, tmp_path):
    path = tmp_path / "page.md"
    text = f"Alpha beta gamma {WORDS} {written} and the end was near\n\n" \
           f"Intro here {WORDS} {said} with the rest of it, which is quite another matter\n"
    path.write_text(text)
    assert ends_of(path, text) == (said, written)


@pytest.mark.parametrize(("written", "said"), REFERENCES)
def test_in_a_field_of_a_record(written, said, tmp_path):
    path = tmp_path / "pages.jsonl"
    text = f"<p>Alpha beta gamma {WORDS} {written} and the end was near</p>" \
           f"<p>Intro here {WORDS} {said} with the rest of it, which is quite another matter</p>"
    path.write_text(json.dumps({"id": "a", "text": text}) + "\n")
    assert ends_of(path, text, field_format="html") == (said, written)


@pytest.mark.parametrize(("written", "said"), [*REFERENCES, ("café", "café")])
@pytest.mark.parametrize("kind", ["markdown", "code"])
def test_in_a_notebook_whose_strings_have_escapes(written, said, kind, tmp_path):
    if kind == "code":
        written = said
    cells = [[f"Alpha beta gamma {WORDS} {written} and\r\n", "the end\n", "was near"],
             [f"Intro here {WORDS} {said} with the rest of it, which is quite another matter\n"]]
    book = {"cells": [{"cell_type": kind, "source": lines} for lines in cells], "nbformat": 4, "metadata": {}}
    text = json.dumps(book)  # é is an escape there
    path = tmp_path / "book.ipynb"
    path.write_text(text)
    assert ends_of(path, text) == (said, json.dumps(written)[1:-1])


def test_a_start_is_not_inside_of_a_reference_that_ends_like_its_text(tmp_path):
    path = tmp_path / "page.html"
    text = f"<p>Alpha beta gamma &#x33; {WORDS} and the end was near</p>" \
           f"<p>Intro here 3 {WORDS} with the rest of it, which is quite another matter</p>"
    path.write_text(text)
    place = dedup.scan(path).groups[0].occurrences[0]
    assert text[place.source_start:place.source_end] == f"&#x33; {WORDS}"
