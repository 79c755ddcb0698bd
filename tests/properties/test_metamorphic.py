"""What must not matter does not: the order of pages, sides exchanged, upper case, pages about other things; and what is
planted inside the guarantee of the seeds is found."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import Report, compare, scan
from dedup.kernel.align_settings import GRAM_ITEMS, GRAM_WINDOW
from tests.index_help import examples
from tests.scan_help import needs_speed, scan_texts, words

Pages = dict[str, str]


def written(rnd: random.Random, parts: list[str]) -> str:
    """Words as text, with some sentences and paragraphs."""
    return "".join(word + rnd.choice([" "] * 9 + [". ", "\n\n"]) for word in parts)


def mixed(seed: int, count: int, kinds: int) -> Pages:
    """Pages of words of Zipf's law that hold pieces of one another, some edited."""
    rnd = random.Random(seed)
    texts = [[f"w{int(kinds**rnd.random())}" for _ in range(rnd.randrange(3, 40))] for _ in range(count)]
    for _ in range(rnd.randrange(1, 8)):
        source, target = rnd.choice(texts), rnd.choice(texts)
        i, j = sorted(rnd.randrange(len(source) + 1) for _ in range(2))
        share = rnd.choice([0, 0, 0.1, 0.3])
        left = [word for word in source[i:j] if rnd.random() > share / 3]
        piece = [f"x{rnd.randrange(50)}" if rnd.random() < share else word for word in left]
        at = rnd.randrange(len(target) + 1)
        target[at:at] = piece
    return {f"p{n}": written(rnd, text) for n, text in enumerate(texts)}


def planted(seed: int, count: int) -> Pages:
    """Pages of other words each; of some passages a second one holds an edited copy."""
    rnd = random.Random(seed)
    texts = [words(rnd.randrange(30, 90), 1000 * seed + n, 10**6) for n in range(count)]
    for n in range(rnd.randrange(1, 4)):
        passage = words(rnd.randrange(30, 60), 1000 * seed + 500 + n, 10**6)
        copy = [f"new{rnd.randrange(10**6)}" if rnd.random() < 0.15 else word for word in passage]
        for target, piece in zip(rnd.sample(texts, 2), (passage, copy), strict=True):
            at = rnd.choice([0, len(target)])
            target[at:at] = piece
    return {f"p{n}": written(rnd, text) for n, text in enumerate(texts)}


def records(pages: Pages) -> list[dict[str, str]]:
    return [{"id": name, "text": text} for name, text in pages.items()]


def shuffled(pages: Pages, seed: int) -> Pages:
    names = list(pages)
    random.Random(seed).shuffle(names)
    return {name: pages[name] for name in names}


def groups(report: Report) -> list[Any]:
    """Groups as sets of places, in no order."""
    return sorted((g.kind, tuple(sorted((o.page, o.start, o.end, o.parts) for o in g.occurrences))) for g in report.groups)


def pairs(report: Report) -> list[Any]:
    """Pairs without their direction, in no order."""
    return sorted((p.kind, tuple(sorted((o.page, o.start, o.end) for o in (p.a, p.b)))) for p in report.pairs())


SEEDS = st.integers(0, 10**6)
FIND = st.sampled_from(["near", "reworded"])


@needs_speed
@given(seed=SEEDS, count=st.integers(2, 5), kinds=st.sampled_from([4, 30, 300]), least=st.sampled_from([3, 5, 8]))
@settings(max_examples=examples(50, 5000))
def test_exact_groups_are_the_same_in_any_order_of_pages(seed, count, kinds, least):
    pages = mixed(seed, count, kinds)
    expected = groups(scan(records(pages), find="exact", min_tokens=least))
    assert groups(scan(records(shuffled(pages, seed)), find="exact", min_tokens=least)) == expected


@needs_speed
@given(seed=SEEDS, count=st.integers(3, 5), find=FIND)
@settings(max_examples=examples(40, 5000))
def test_edited_passages_are_the_same_in_any_order_of_pages(seed, count, find):
    pages = planted(seed, count)
    one, other = (scan(records(p), find=find) for p in (pages, shuffled(pages, seed)))
    assert groups(one) == groups(other)
    assert pairs(one) == pairs(other)


@needs_speed
@given(seed=SEEDS)
@settings(max_examples=examples(40, 5000))
def test_sides_exchanged_mirror_the_report(seed):
    a, b = records(planted(seed, 2))
    one, other = compare(a, b), compare(b, a)
    assert groups(one) == groups(other)
    mirrored = sorted((p.kind, (p.b.page, p.b.start, p.b.end), (p.a.page, p.a.start, p.a.end), p.dice) for p in other.pairs())
    assert sorted((p.kind, (p.a.page, p.a.start, p.a.end), (p.b.page, p.b.start, p.b.end), p.dice)
                  for p in one.pairs()) == mirrored


@needs_speed
@given(seed=SEEDS, count=st.integers(2, 4), kinds=st.sampled_from([4, 30, 300]), find=FIND)
@settings(max_examples=examples(40, 5000))
def test_upper_case_changes_nothing(seed, count, kinds, find):
    pages = mixed(seed, count, kinds)
    one, other = (scan(records(p), find=find) for p in (pages, {name: text.upper() for name, text in pages.items()}))
    assert groups(one) == groups(other)
    assert pairs(one) == pairs(other)


@needs_speed
@given(seed=SEEDS, count=st.integers(2, 4))
@settings(max_examples=examples(40, 5000))
def test_pages_about_other_things_change_nothing(seed, count):
    pages = planted(seed, count)
    others = {f"q{n}": written(random.Random(n), words(80, 10**7 + 1000 * seed + n, 10**6)) for n in range(4)}
    one, other = scan(records(pages)), scan(records(pages | others))
    assert groups(one) == groups(other)
    assert pairs(one) == pairs(other)


@needs_speed
@pytest.mark.parametrize("find", ["near", "reworded"])
@pytest.mark.parametrize("apart", [GRAM_ITEMS + GRAM_WINDOW - 1, 7, 9])
def test_every_edited_passage_with_runs_of_the_guarantee_is_found(apart, find):
    """Runs of k + w - 1 equal words, a new word after each: all passages are found, from end to end."""
    pages, places = dict[str, str](), []
    for n in range(60):
        passage = words(48, n, 10**6)
        copy = [f"new{n}x{i}" if i % (apart + 1) == apart else word for i, word in enumerate(passage)]
        for side, text in (("a", passage), ("b", copy)):
            before, after = (" ".join(words(30, 10_000 + 4 * n + 2 * (side == "b") + k, 10**6)) for k in range(2))
            pages[f"{side}{n}"] = f"{before}. {' '.join(text)}. {after}"
            places.append((f"{side}{n}", len(before) + 2, len(before) + 2 + len(" ".join(text))))
    found = {(p.a.page, p.b.page): p for p in scan_texts(pages, find=find).pairs()}
    for (a, a0, a1), (b, b0, b1) in zip(places[::2], places[1::2], strict=True):
        pair = found[a, b]
        for o, start, end in ((pair.a, a0, a1), (pair.b, b0, b1)):
            assert min(o.end, end) - max(o.start, start) >= 0.95 * (end - start), (a, apart)


def reprints(seed: int) -> Pages:
    """Pages that hold paragraphs of two articles, word for word, edited or cut short, and paragraphs of their own."""
    rnd = random.Random(seed)
    vocabulary = words(400, seed, 10**6)

    def paragraph(length: int) -> list[str]:
        return [vocabulary[int(400 * rnd.random() ** 2)] for _ in range(length)]

    def reprint(source: list[str]) -> list[str]:
        share = rnd.choice([0, 0, 0, 0.1, 0.2, 0.3])
        copy = [rnd.choice(vocabulary) if rnd.random() < share else word for word in source if rnd.random() > share / 4]
        cut = rnd.randrange(max(1, len(copy))) if rnd.random() < 0.2 else 0
        copy = copy[cut:] if rnd.random() < 0.5 else copy[:len(copy) - cut]
        return paragraph(rnd.randint(1, 8)) + copy if rnd.random() < 0.2 else copy
    articles = [[paragraph(rnd.randint(8, 35)) for _ in range(rnd.randint(1, 4))] for _ in range(2)]
    pages = dict[str, str]()
    for n in range(rnd.randint(3, 6)):
        parts = [reprint(part) for article in articles if rnd.random() < 0.7 for part in article if rnd.random() < 0.85]
        for _ in range(rnd.randint(0, 2)):
            parts.insert(rnd.randint(0, len(parts)), paragraph(rnd.randint(5, 25)))
        pages[f"p{n}"] = "\n\n".join(" ".join(part) + "." for part in parts if part)
    return pages


def covered(report: Report, pages: Pages) -> set[tuple[str, int]]:
    """Letters of the pages that stand in a group."""
    found = {(o.page, i) for g in report.groups for o in g.occurrences for start, end in o.parts or ((o.start, o.end),)
             for i in range(start, end)}
    return {(page, i) for page, i in found if pages[page][i].isalnum()}


@needs_speed
@pytest.mark.parametrize("find", ["near", "reworded"])
def test_reprints_of_an_article_are_the_same_in_any_order_of_pages(find):
    for seed in range(100):
        pages = reprints(seed)
        first, second = (scan(records(p), find=find) for p in (pages, shuffled(pages, seed)))
        assert groups(first) == groups(second), seed


def crossing(seed: int) -> Pages:
    """Two short pages, one with edited words of the other, some of them in another order or twice; blocks of any length."""
    rnd = random.Random(seed)
    kinds, share = rnd.choice([60, 300, 2000]), rnd.choice([0.05, 0.1, 0.2, 0.3])

    def word() -> str:
        return f"w{int(kinds**rnd.random())}"
    source = [word() for _ in range(rnd.randint(12, 60))]
    copy = [word() if rnd.random() < share else w for w in source if rnd.random() > share / 3]
    i, j = sorted(rnd.randrange(len(copy) + 1) for _ in range(2))
    copy = rnd.choice([copy, copy[j:] + copy[i:j] + copy[:i], copy + source[i:j]])
    return {name: "".join(w + rnd.choice([" "] * 12 + ["\n\n", ". "]) for w in text)
            for name, text in (("a", source), ("b", copy))}


def stock(seed: int, count: int) -> Pages:
    """Pages made of edited copies of one to three texts, several on one page, and words between."""
    rnd = random.Random(seed)
    kinds = rnd.choice([300, 2000, 20000])

    def some(count: int) -> list[str]:
        return [f"w{int(kinds**rnd.random())}" for _ in range(count)]
    texts = [some(rnd.choice([12, 25, 40, 80])) for _ in range(rnd.randint(1, 3))]
    pages = dict[str, str]()
    for n in range(count):
        parts = list[str]()
        for _ in range(rnd.randint(1, 5)):
            share = rnd.choice([0, 0.05, 0.1, 0.2, 0.3])
            copy = [f"x{rnd.randrange(10**6)}" if rnd.random() < share else w for w in rnd.choice(texts)]
            parts += some(rnd.randint(0, 50)) if rnd.random() < 0.35 else copy
        pages[f"p{n}"] = "".join(w + rnd.choice([" "] * 20 + ["\n\n", ". "]) for w in parts)
    return pages


@needs_speed
@given(seed=SEEDS, find=st.sampled_from(["exact", "near", "reworded"]))
@settings(max_examples=examples(50, 5000))
def test_two_pages_that_swap_have_the_same_groups(seed, find):
    """Where links cross, too."""
    pages = crossing(seed)
    assert groups(scan(records(pages), find=find)) == groups(scan(records(pages)[::-1], find=find))


@needs_speed
@given(seed=SEEDS, count=st.integers(2, 5), find=FIND)
@settings(max_examples=examples(75, 5000))
def test_copies_of_one_stock_have_the_same_groups_in_any_order_of_pages(seed, count, find):
    """Several copies on one page, too, and texts that are linked to equal ones."""
    pages = stock(seed, count)
    assert groups(scan(records(pages), find=find)) == groups(scan(records(shuffled(pages, seed)), find=find))


@needs_speed
def test_links_that_cross_are_chained_the_same_whichever_page_is_first():
    """A block of one word between two others is where the longer one begins, or stands before it."""
    a = "The ferry to the island leaves at nine from pier\n\nTomorrow only bread with cheese will be sold on board"
    b = ("The ferry to. the island leaves at nine from harbour\n\nonly\n\nbread with cheese will. be sold on board then")
    pages = {"a": a, "b": b}
    assert groups(scan(records(pages))) == groups(scan(records(pages)[::-1]))


def lies_in(inner: Any, outer: Any) -> bool:
    """Whether each occurrence of one group lies in another one of the other group."""
    homes = [[i for i, p in enumerate(outer.occurrences) if (p.page, p.start) <= (o.page, o.start) and o.page == p.page
              and o.end <= p.end] for o in inner.occurrences]
    return inner is not outer and all(homes) and len({home[0] for home in homes}) == len(homes)


@needs_speed
def test_no_group_of_a_reprint_lies_in_another_one():
    """Two members that are linked to the representative only may have a sentence in common word for word."""
    for seed in range(60):
        found = list(scan(records(reprints(seed))).groups)
        assert not [(a.id, b.id) for a in found for b in found if lies_in(a, b)], seed


@needs_speed
def test_reprints_against_others_are_the_same_in_any_order_of_both():
    """What stands in the first copy of a run only because of its order is known of the other copies, too."""
    for seed in range(200, 280):
        names = list(pages := reprints(seed))
        half = len(names) // 2
        sides = [{name: pages[name] for name in part} for part in (names[:half], names[half:])]
        first, second = (scan(records(a), against=records(b)) for a, b in
                         (sides, [shuffled(side, seed + n) for n, side in enumerate(sides)]))
        assert covered(first, pages) == covered(second, pages), seed
