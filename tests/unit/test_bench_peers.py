"""The comparison with peers: the exact truth, the measures of groups, what tools write, what the runner keeps."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.corpus import write_corpus
from benchmarks.measure import CommandFailed, run
from benchmarks.peers import joined, quality, tools, truth
from benchmarks.peers.install import wanted

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "build" / "peers-venv" / "bin" / "python"


def brute(sets, threshold):
    """All pairs by comparing everything with everything."""
    found = []
    for b in range(len(sets)):
        for a in range(b):
            both, all_ = len(set(sets[a]) & set(sets[b])), len(set(sets[a]) | set(sets[b]))
            if both and both / all_ >= threshold:
                found.append((a, b))
    return sorted(found)


@given(st.lists(st.sets(st.integers(0, 12), max_size=10), max_size=12), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_the_join_finds_exactly_the_pairs_that_comparing_all_with_all_finds(sets, threshold):
    pairs, alike = truth.join([np.array(sorted(one), np.uint64) for one in sets], threshold)
    assert [tuple(pair) for pair in pairs.tolist()] == brute(sets, threshold)
    assert all(similarity >= threshold for similarity in alike)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 60)), max_size=8))
def test_the_join_finds_long_sets_that_differ_a_little(changes):
    base = np.arange(0, 1000, 10)
    sets = [set(np.delete(base, cut % len(base)).tolist()) | {add + 1} for _, cut, add in changes]
    pairs, _ = truth.join([np.array(sorted(one), np.uint64) for one in sets], 0.97)
    assert [tuple(pair) for pair in pairs.tolist()] == brute(sets, 0.97)


def test_grams_are_the_set_of_runs_of_five_words_whatever_their_case_and_punctuation():
    numbers = {}
    a = truth.grams("One two, three. Four five SIX", numbers)
    assert truth.grams("one two three four five six", numbers).tolist() == a.tolist()
    assert len(a) == 2
    assert len(truth.grams("a b c d", numbers)) == 0
    assert len(truth.grams("a b c d e a b c d e", numbers)) == 5  # abcde, bcdea, ..., and abcde again
    assert set(truth.grams("e d c b a", numbers)).isdisjoint(truth.grams("a b c d e", numbers))


def test_the_truth_of_a_corpus_holds_the_planted_pages_and_is_kept(tmp_path):
    file = tmp_path / "corpus.jsonl"
    write_corpus(file, 1_000_000)
    ids, pairs, alike = truth.pairs(file)
    found = {(ids[a], ids[b]): round(similarity, 6)
             for (a, b), similarity in zip(pairs.tolist(), alike.tolist(), strict=True)}
    planted = [json.loads(line) for line in Path(f"{file}.truth").read_text().splitlines()]
    pages = [one for one in planted if one["kind"] in ("copy", "append", "near-page") and one["jaccard"] >= 0.8]
    assert len(pages) > 10
    for one in pages:
        assert found[one["a"], one["b"]] == one["jaccard"]
    file.write_text("")  # what is kept is not made again
    assert truth.pairs(file)[0] == ids


IDS = list("abcdefgh")


@pytest.mark.parametrize(("groups", "exact", "measures"), [
    ([], [(0, 1)], (0.0, None, None)),
    ([["a", "b"]], [(0, 1)], (1.0, 1.0, 1.0)),
    ([["a", "b"]], [], (None, 0.0, 0.0)),
    ([["a", "b", "c", "d"]], [(0, 1)], (1.0, 0.5, 1 / 6)),
    # a chain: a and c are not alike, but the exact groups hold them together
    ([["a", "b", "c"]], [(0, 1), (1, 2)], (1.0, 1.0, 1.0)),
    ([["a", "b"], ["b", "c"]], [(0, 1), (1, 2)], (1.0, 1.0, 1.0)),
    ([["a", "b"], ["c", "d"]], [(0, 1), (1, 2), (2, 3)], (2 / 3, 1.0, 1.0)),
    # c has a like document, but not in its own group
    ([["a", "b", "c"], ["d", "e"]], [(0, 1), (2, 3)], (0.5, 2 / 5, 1 / 4)),
    ([["a"], ["b", "b"]], [(0, 1)], (0.0, None, None)),
])
def test_recall_precision_and_pair_precision(groups, exact, measures):
    made = quality.measure(groups, IDS, np.array(exact, np.int64).reshape(-1, 2))
    assert made[:3] == pytest.approx(measures)


def test_an_unknown_id_is_an_error():
    with pytest.raises(ValueError, match="no document is named 'z'"):
        quality.measure([["a", "z"]], IDS, np.empty((0, 2), np.int64))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_links_are_joined_to_groups(links):
    reached = {i: {i} for i in range(10)}
    for a, b in links:
        together = reached[a] | reached[b]
        for one in together:
            reached[one] = together
    groups = {frozenset(one) for one in reached.values() if len(one) > 1}
    assert joined.groups(10, links) == sorted(map(sorted, groups))


def test_what_recipes_write_is_read_and_anything_else_is_an_error(tmp_path):
    file = tmp_path / "out"
    file.write_text('["a", "b"]\n["c", "d", "e"]\n')
    assert tools.read_groups(file) == [["a", "b"], ["c", "d", "e"]]
    file.write_text('{"a": 1}\n')
    with pytest.raises(ValueError, match="no list of ids"):
        tools.read_groups(file)


TEXT = " ".join(f"word{i}" for i in range(60))
RECORDS = [("one", TEXT), ("two", TEXT + " more"), ("three", " ".join(f"other{i}" for i in range(60))), ("short", "a b"),
           ("again", TEXT)]


@pytest.fixture
def records(tmp_path):
    file = tmp_path / "records.jsonl"
    file.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in RECORDS))
    return file


def needs(package):
    """Skip a peer that is not there; `make bench-peers` installs them."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    if not PEERS.exists() or subprocess.run([str(PEERS), "-c", code], check=False).returncode:
        pytest.skip(f"{package} is not in {PEERS.parents[1].relative_to(ROOT)}: make bench-peers installs it")


@pytest.mark.parametrize("tool", tools.documents(str(PEERS)), ids=lambda tool: tool.name)
def test_each_tool_groups_what_is_alike(tool, records, tmp_path):
    if tool.package != tools.OURS:
        needs(tool.package)
    out = tmp_path / "out"
    run(tool.command(records, out), cwd=ROOT)
    assert sorted(map(sorted, tool.read(out))) == [["again", "one", "two"]]


@pytest.mark.parametrize("tool", tools.passages(str(PEERS)), ids=lambda tool: tool.name)
def test_each_tool_marks_what_stands_twice_in_code_points(tool, tmp_path):
    if tool.package != tools.OURS:
        needs(tool.package)
    twice = " ".join(f"wörd{i}" for i in range(40))
    own = [" ".join(f"{letter}{i}" for i in range(150)) for letter in "äöüß"]
    texts = [f"{own[0]} {twice} {own[1]}", f"{own[2]} {twice}", own[3]]
    file, out = tmp_path / "records.jsonl", tmp_path / "out"
    file.write_text("".join(json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(texts)))
    run(tool.command(file, out), cwd=ROOT)
    spans = tool.read(out)
    assert spans["2"] == []
    for name, text in zip("01", texts, strict=False):
        (start, end), = spans[name]
        assert abs(start - text.index(twice)) <= 5  # bytes before it may be equal, too
        assert abs(end - text.index(twice) - len(twice)) <= 5


def test_every_requirement_is_pinned_and_no_index_is_named():
    text = (ROOT / "benchmarks" / "peers" / "requirements.txt").read_text()
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", line) for line in wanted(text))
    packages = {tool.package for tool in tools.documents("python")} - {tools.OURS}
    assert packages <= {line.split("==")[0] for line in wanted(text)}


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path):
    child = f"import time, pathlib; time.sleep(1.5); pathlib.Path({str(tmp_path / 'written')!r}).write_text('')"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(CommandFailed, match=r"not done after 0\.5 s"):
        run([sys.executable, "-c", code], limit=0.5)
    subprocess.run([sys.executable, "-c", "import time; time.sleep(1.5)"], check=True)
    assert not (tmp_path / "written").exists()


def test_recipes_need_nothing_of_ours():
    """A recipe of a peer runs in the peers' environment, where dedup is not installed."""
    folder = Path(importlib.util.find_spec("benchmarks.peers").origin).parent
    for name in ("recipe", "joined", "daft", "gaoya", "rensa", "fastsketchlsh", "datasketch", "truth", "quality"):
        assert not re.search(r"^\s*(from|import) dedup", (folder / f"{name}.py").read_text(), re.M), name
