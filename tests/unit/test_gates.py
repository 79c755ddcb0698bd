"""Gates on a repository of thirty pages and five commits: what passes, what fails, and with which exit status."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup import cli
from dedup.baseline import Baseline, Entry
from dedup.changed import changed_files
from dedup.errors import InputError, OptionError
from dedup.fingerprints import LEAST, Fingerprint
from dedup.gates import Gates, share_of

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprstvz" for b in "aeiou" for c in ("la", "ren", "tik", "mos", "ver", "dun")]


def passage(seed: int, words: int = 45) -> str:
    """A paragraph that is like no other one."""
    pick = random.Random(seed)
    return " ".join(pick.choice(WORDS) for _ in range(words)).capitalize() + "."


def page(number: int, *extra: str) -> str:
    """A page of three paragraphs of its own, and others."""
    own = [passage(100 * number + part) for part in range(3)]
    return f"# Page {number}\n\n" + "\n\n".join([*own, *extra]) + "\n"


SHARED = passage(9_001)  # stands on two pages from the second commit on
OTHER = passage(9_002)


class Repository:
    """A folder under git."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "a@example.org")
        self.git("config", "user.name", "A")

    def git(self, *arguments: str) -> str:
        """Run git."""
        return subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True, encoding="utf-8").stdout

    def commit(self, message: str) -> None:
        """Commit all there is."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        self.git("tag", message)

    def write(self, name: str, text: str) -> None:
        """Write a page."""
        path = self.root / "docs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty pages; one, two: a shared passage; three: lines move; four: a file is renamed; five: a new page of its own."""
    repo = Repository(tmp_path_factory.mktemp("repository"))
    for number in range(30):
        repo.write(f"p{number:02}.md", page(number))
    repo.commit("one")
    repo.write("p10.md", page(10, SHARED))
    repo.write("p20.md", page(20, SHARED))
    repo.commit("two")
    repo.write("p10.md", page(10, SHARED).replace("# Page 10\n", f"# Page 10\n\nNew words before.\n\n{passage(77)}\n"))
    repo.commit("three")
    repo.git("mv", "docs/p20.md", "docs/renamed.md")
    repo.commit("four")
    repo.write("p31.md", page(31))
    repo.commit("five")
    return repo.root


@pytest.fixture
def repo(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A copy of it, as the current folder."""
    root = tmp_path / "copy"
    shutil.copytree(made, root)
    monkeypatch.chdir(root)
    copy = Repository.__new__(Repository)
    copy.root = root
    return copy


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a scan of the pages, and give its status and what it said on standard error."""
    def scan(*arguments: str) -> tuple[int, str]:
        status = cli.main(["scan", "docs", *arguments])
        return status, capsys.readouterr().err
    return scan


def known_at(repo: Repository, run: Run, ref: str) -> None:
    """A baseline of a commit."""
    repo.git("checkout", "-q", ref)
    assert run("--baseline", "base.jsonl", "--update-baseline")[0] == 0
    repo.git("checkout", "-q", "main")


# Shares and verdicts.


def test_no_gate_passes_whatever_there_is(repo: Repository, run: Run) -> None:
    assert run() == (0, "")


def test_less_than_the_share_passes(repo: Repository, run: Run) -> None:
    assert run("--fail-over", "10%") == (0, "")


def test_more_than_the_share_fails_and_says_what_does_not_count(repo: Repository, run: Run) -> None:
    status, said = run("--fail-over", "0.1%")
    assert status == 1
    assert "of the content is duplicate, more than --fail-over 0.1%" in said
    assert "template, navigation and refrains do not count" in said


@pytest.mark.parametrize("stands", [1, 1 << 18])
def test_a_template_counts_for_no_share(repo: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, stands: int) -> None:
    monkeypatch.setattr("dedup.verdicts.STANDS", stands)
    repo.git("checkout", "-q", "one")
    for number in range(30):
        repo.write(f"p{number:02}.md", page(number, OTHER))
    assert run("--fail-over", "0%") == (0, "")
    status, said = run("--fail-on", "template")
    assert status == 1
    assert "--fail-on template: 2 passages" in said  # one with a word before it, on two pages


def test_a_footer_of_a_page_that_is_a_copy_is_no_copy(repo: Repository, run: Run) -> None:
    repo.git("checkout", "-q", "one")
    for number in range(30):
        repo.write(f"p{number:02}.md", page(number, OTHER))
    repo.write("p30.md", page(29, OTHER))
    status, said = run("--fail-on", "copy-of", "--template-in", "all")
    assert status == 1
    assert "--fail-on copy-of: 1 passage: docs/p30.md:1-9 as docs/p29.md:1-9" in said


@pytest.mark.parametrize("arguments", [["--hide", "template,shared"], ["--for", "docs"]])
def test_a_gate_on_what_is_hidden_is_refused(repo: Repository, run: Run, arguments: list[str]) -> None:
    status, said = run("--fail-on", "rendered-twice,template", *arguments)
    assert status == 2
    assert "--fail-on: template is hidden, so the gate would always pass" in said


@pytest.mark.parametrize("arguments", [[], ["--for", "docs", "--no-config"], ["--baseline", "none.jsonl"]])
@pytest.mark.parametrize("copies", [2, 5, 12])
def test_copies_of_whole_pages_count_however_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run,
                                                            copies: int, arguments: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "none.jsonl").write_text('{"format": "dedup-baseline/1"}\n')
    for number in range(12):
        text = SHARED if number < copies else passage(9_100 + number)
        (tmp_path / "docs" / f"{number}.md").write_text(f"{text}\n\n{text[::-1]}\n")
    status, said = run("--fail-over", "5%", "--fail-on", "copy-of", *arguments)
    assert (status, said.count("dedup: failed: ")) == (1, 2)
    assert f"{100 * (copies - 1) // 12}." in said


def test_a_verdict_that_is_named_fails(repo: Repository, run: Run) -> None:
    status, said = run("--fail-on", "shared")
    assert status == 1
    assert "docs/renamed.md:9 as docs/p10.md:13" in said


def test_a_verdict_that_nothing_has_passes(repo: Repository, run: Run) -> None:
    assert run("--fail-on", "rendered-twice,copy-of") == (0, "")


def test_the_report_is_written_before_it_fails(repo: Repository, run: Run) -> None:
    assert run("--fail-over", "0", "-o", "r.json")[0] == 1
    assert len(json.loads((repo.root / "r.json").read_text())["groups"]) == 1


def test_a_page_that_cannot_be_read_is_three_and_a_gate_wins_over_it(repo: Repository, run: Run) -> None:
    (repo.root / "docs" / "bad.jsonl").write_text('{"text": "half')
    assert run()[0] == 3
    assert run("--fail-over", "0")[0] == 1


# Baselines: only what is new fails.


def test_what_the_baseline_knows_passes(repo: Repository, run: Run) -> None:
    known_at(repo, run, "five")
    status, said = run("--baseline", "base.jsonl", "--fail-on", "new", "--fail-over", "0")
    assert (status, said) == (0, "dedup: 1 passage left out: in the baseline\n")


def test_a_passage_stays_known_where_lines_moved_and_a_file_was_renamed(repo: Repository, run: Run) -> None:
    known_at(repo, run, "two")
    assert run("--baseline", "base.jsonl", "--fail-on", "new,shared", "--fail-over", "0")[0] == 0


def test_a_passage_stays_known_where_a_copy_was_edited(repo: Repository, run: Run) -> None:
    known_at(repo, run, "two")
    repo.write("p10.md", page(10, SHARED.replace(SHARED.split()[20], "something", 1)))
    assert run("--baseline", "base.jsonl", "--fail-on", "new")[0] == 0


def test_a_new_repeat_fails(repo: Repository, run: Run) -> None:
    known_at(repo, run, "five")
    repo.write("p05.md", page(5, OTHER))
    repo.write("p06.md", page(6, OTHER))
    status, said = run("--baseline", "base.jsonl", "--fail-on", "new")
    assert status == 1
    assert "--fail-on new: 1 passage: docs/p06.md:9 as docs/p05.md:9" in said


def test_a_third_copy_of_what_is_known_is_new_and_charged_to_its_page(repo: Repository, run: Run) -> None:
    known_at(repo, run, "five")
    repo.write("a-first.md", page(40, SHARED))  # sorts before those that are known
    status, said = run("--baseline", "base.jsonl", "--fail-on", "new")
    assert status == 1
    assert "docs/a-first.md:9 as docs/p10.md:13" in said


@pytest.mark.parametrize("how", ["baseline", "changed"])
def test_a_text_pasted_onto_most_pages_of_a_folder_is_new_for_docs(repo: Repository, run: Run, how: str) -> None:
    """By its number of pages it would be the template of the site, which is no content; sources have none."""
    known_at(repo, run, "five")
    for number in range(12):
        repo.write(f"p{number:02}.md", page(number, SHARED))
    gate = ("--baseline", "base.jsonl") if how == "baseline" else ("--changed-since", "five")
    status, said = run("--for", "docs", *gate, "--fail-on", "new", "-q")
    assert status == 1
    assert "docs/p00.md:9" in said
    assert run("--for", "docs", "--template-in", "all", *gate, "--fail-on", "new", "-q") == (0, "")


def test_of_many_pages_that_are_known_the_one_that_is_new_is_charged_alone(repo: Repository, run: Run) -> None:
    for number in range(25):  # an entry names twenty
        repo.write(f"p{number:02}.md", page(number, SHARED))
    how = ("--template-in", "html", "--baseline", "base.jsonl")
    assert run(*how, "--update-baseline")[0] == 0
    repo.write("a-first.md", page(40, SHARED))
    status, said = run(*how, "--fail-on", "new")
    assert status == 1
    assert "1 passage: docs/a-first.md:9 as docs/p00.md:9" in said


def test_a_new_copy_is_named_even_if_a_page_was_renamed_behind_it(repo: Repository, run: Run) -> None:
    known_at(repo, run, "five")
    repo.git("mv", "docs/p10.md", "docs/z-renamed.md")
    repo.write("z-new.md", page(40, SHARED))
    said = run("--baseline", "base.jsonl", "--fail-on", "new")[1]
    assert "1 passage: docs/z-new.md:9 and 1 more place as docs/renamed.md:9" in said


def test_a_further_copy_on_a_page_that_is_known_is_charged_there(repo: Repository, run: Run) -> None:
    known_at(repo, run, "five")
    repo.write("p10.md", page(10, SHARED, passage(9_003), SHARED))
    status, said = run("--baseline", "base.jsonl", "--fail-on", "new")
    assert status == 1
    assert "1 passage: docs/p10.md:13 as docs/p10.md:9" in said


@pytest.mark.parametrize("how", ["baseline", "changed"])
@pytest.mark.parametrize(("template_in", "before"), [("html", 2), ("all", 2), ("html", 4), ("all", 4)])
def test_a_new_page_that_is_a_copy_is_one_even_if_it_sorts_first(repo: Repository, run: Run, how: str, template_in: str,
                                                                 before: int) -> None:
    """The verdict stands on the pages behind it; without it the passage would be their template, or shared."""
    repo.git("checkout", "-q", "one")
    for number in range(before):
        repo.write(f"p{number:02}.md", page(0))
    repo.git("commit", "-qam", "copies")
    assert run("--template-in", template_in, "--baseline", "base.jsonl", "--update-baseline")[0] == 0
    repo.write("a-first.md", page(0))
    gate = ("--baseline", "base.jsonl") if how == "baseline" else ("--changed-since", "HEAD")
    status, said = run("--template-in", template_in, *gate, "--fail-on", "new,copy-of", "--fail-over", "1%")
    assert status == 1
    assert "--fail-on new: 1 passage: docs/a-first.md:1-7 as docs/p00.md:1-7" in said
    assert "--fail-on copy-of: 1 passage: docs/a-first.md:1-7 as docs/p00.md:1-7" in said
    assert ("of the content is" if how == "baseline" else "100 % of the changed files is") in said


@pytest.mark.parametrize("how", ["baseline", "changed"])
def test_what_is_pasted_into_a_page_that_is_a_known_copy_is_new(repo: Repository, run: Run, how: str) -> None:
    """Such a page has no verdict on what it shares with others beside the one that it is a copy of."""
    repo.git("checkout", "-q", "one")
    many = [passage(9_100 + number) for number in range(20)]
    for number in (28, 29):
        repo.write(f"p{number}.md", page(27, *many))
    repo.git("commit", "-qam", "copies")
    assert run("--baseline", "base.jsonl", "--update-baseline")[0] == 0
    repo.write("p29.md", page(27, *many, passage(500)))  # of the fifth page
    gate = ("--baseline", "base.jsonl") if how == "baseline" else ("--changed-since", "HEAD")
    status, said = run(*gate, "--fail-on", "new", "--fail-over", "0.5%")
    assert status == 1
    assert "docs/p29.md:49 as docs/p05.md:3" in said
    assert said.count("dedup: failed: ") == 2


def test_part_of_what_is_known_on_another_page_is_new(repo: Repository, run: Run) -> None:
    known_at(repo, run, "five")
    repo.write("a-first.md", page(40, " ".join(SHARED.split()[5:35])))
    assert run("--baseline", "base.jsonl", "--fail-on", "new")[0] == 1


def test_updating_keeps_reasons_and_drops_what_nothing_needs(repo: Repository, run: Run) -> None:
    known_at(repo, run, "five")
    lines = (repo.root / "base.jsonl").read_text().splitlines()
    entry = json.loads(lines[1]) | {"reason": "the law says so", "date": "2026-02-03"}
    gone = entry | {"fingerprint": str(Fingerprint.of([OTHER])), "text": "other"}
    (repo.root / "base.jsonl").write_text("\n".join([lines[0], json.dumps(entry), json.dumps(gone)]) + "\n")
    assert "1 entry of the baseline no longer needed" in run("--baseline", "base.jsonl")[1]
    status, said = run("--baseline", "base.jsonl", "--update-baseline")
    assert (status, said) == (0, "dedup: baseline written: 1 passage in base.jsonl; 1 entry gone that nothing needed\n")
    assert [json.loads(line) for line in (repo.root / "base.jsonl").read_text().splitlines()[1:]] == [entry]


def test_an_entry_of_pages_that_were_not_scanned_may_be_needed(repo: Repository, capsys: pytest.CaptureFixture[str],
                                                               run: Run) -> None:
    known_at(repo, run, "five")
    assert cli.main(["scan", "docs/p00.md", "docs/p10.md", "--baseline", "base.jsonl"]) == 0
    assert "no longer needed" not in capsys.readouterr().err


def test_updating_loses_nothing_for_what_could_not_be_read(repo: Repository, run: Run) -> None:
    known_at(repo, run, "five")
    (repo.root / "docs" / "damaged.jsonl").write_text("{")
    lines = (repo.root / "base.jsonl").read_text().splitlines()
    gone = json.loads(lines[1]) | {"fingerprint": str(Fingerprint.of([OTHER])), "text": "other"}
    (repo.root / "base.jsonl").write_text("\n".join([*lines, json.dumps(gone)]) + "\n")
    status, said = run("--baseline", "base.jsonl", "--update-baseline")
    assert status == 3
    assert "1 entry kept, as some input could not be read" in said
    held = (repo.root / "base.jsonl").read_text()
    assert len(held.splitlines()) == 3
    (repo.root / "empty.md").write_text("")
    assert cli.main(["scan", "empty.md", "--baseline", "base.jsonl", "--update-baseline"]) == 2
    assert (repo.root / "base.jsonl").read_text() == held


def test_a_baseline_is_the_same_bytes_whatever_the_files_are_called(repo: Repository, run: Run) -> None:
    known_at(repo, run, "five")
    before = (repo.root / "base.jsonl").read_text().splitlines()
    known_at(repo, run, "two")
    after = (repo.root / "base.jsonl").read_text().splitlines()
    names = [[json.loads(line).get("fingerprint") for line in lines] for lines in (before, after)]
    assert names[0] == names[1]
    assert before == sorted(before, key=lambda line: json.loads(line).get("fingerprint", ""))


@pytest.mark.parametrize(("text", "why"), [
    ('{"format": "dedup-baseline/1", "passages": [\n{"fingerprint":"8b52e145d0a22a83","text":"a","reason":""}\n]}\n',
     "is the list of passages that were ignored in a report in the browser"),
    ("", "is no baseline"), ("[]\n", "is no baseline"), ('{"format": "dedup-report/1"}\n', "is no baseline"),
    ('{"format": "dedup-baseline/2"}\n', "newer format"),
    ('{"format": "dedup-baseline/1"}\n' + "[" * 100_000, "base.jsonl:2: is no entry"),
    ('{"format": "dedup-baseline/1"}\n{"fingerprint": "0:xyz", "copies": 2}\n', "base.jsonl:2: is no entry"),
    ('{"format": "dedup-baseline/1"}\n{"fingerprint": "0:", "copies": true}\n', "copies is no count"),
    ('{"format": "dedup-baseline/1"}\n{"fingerprint": "0:", "copies": 2, "date": "soon"}\n', "base.jsonl:2"),
    ('{"format": "dedup-baseline/1"}\n<<<<<<< HEAD\n', "a merge was not finished"), ("\xff", "is no UTF-8"),
])
def test_a_damaged_baseline_is_refused_by_line_before_the_scan(repo: Repository, run: Run, text: str, why: str) -> None:
    (repo.root / "base.jsonl").write_bytes(text.encode("latin-1"))
    status, said = run("--baseline", "base.jsonl", "--fail-on", "new")
    assert status == 2
    assert why in said
    assert said.count("\n") == 1


def test_a_missing_baseline_says_how_to_write_one(repo: Repository, run: Run) -> None:
    status, said = run("--baseline", "none.jsonl", "--fail-on", "new")
    assert status == 2
    assert "Write one with --update-baseline" in said


@pytest.mark.parametrize("update", [[], ["--update-baseline"]])
def test_no_report_is_written_over_the_baseline(repo: Repository, run: Run, update: list[str]) -> None:
    assert run("--baseline", "new.jsonl", "--update-baseline", "-o", "./new.jsonl")[0] == 2
    known_at(repo, run, "five")
    before = (repo.root / "base.jsonl").read_text()
    status, said = run("--baseline", "base.jsonl", *update, "-o", "docs/../base.jsonl")
    assert (status, (repo.root / "base.jsonl").read_text()) == (2, before)
    assert "is read and would be overwritten" in said


# Changed files.


def test_what_touches_no_changed_file_passes(repo: Repository, run: Run) -> None:
    status, said = run("--changed-since", "four", "--fail-on", "new", "--fail-over", "0")
    assert (status, said) == (0, "dedup: 1 passage left out: not in files changed since four\n")


def test_a_renamed_file_has_not_changed(repo: Repository, run: Run) -> None:
    assert run("--changed-since", "three", "--fail-on", "new")[0] == 0


@pytest.mark.parametrize("staged", [False, True])
def test_a_file_whose_mode_alone_differs_has_not_changed(repo: Repository, run: Run, staged: bool) -> None:
    (repo.root / "docs" / "p10.md").chmod(0o755)
    if staged:
        repo.git("commit", "-qam", "mode")
    else:
        (repo.root / "docs" / "p10.md").touch()
        repo.git("config", "diff.autoRefreshIndex", "false")
    assert run("--changed-since", "five", "--fail-on", "new", "--fail-over", "0")[0] == 0


def test_a_renamed_file_whose_lines_have_another_order_has_changed(repo: Repository) -> None:
    """Git calls them alike to a hundred per cent."""
    lines = (repo.root / "docs" / "p05.md").read_text().splitlines()
    repo.git("mv", "docs/p05.md", "docs/moved.md")
    repo.write("moved.md", "\n".join(reversed(lines)) + "\n")
    repo.git("add", "-A")
    assert "R100" in repo.git("diff", "--name-status", "--find-renames", "five")
    assert changed_files("five", repo.root) == {(repo.root / "docs" / "moved.md").resolve()}


def test_a_new_link_does_not_change_the_file_that_it_leads_to(repo: Repository, run: Run) -> None:
    link = repo.root / "docs" / "z-link.md"
    link.symlink_to("p10.md")
    assert run("--changed-since", "five", "--fail-on", "new")[0] == 0
    repo.write("p10.md", page(10, SHARED, passage(9_003)))
    assert run("--changed-since", "five", "--fail-on", "new")[0] == 1
    (repo.root / "other.md").write_text(page(40, SHARED))
    repo.git("add", "-A")
    repo.git("commit", "-qm", "six")
    link.unlink()
    link.symlink_to("../other.md")  # a page that was not there before
    status, said = run("--changed-since", "HEAD", "--fail-on", "new", "--template-in", "html")
    assert (status, "1 passage: docs/z-link.md:9 as docs/p10.md:9" in said) == (1, True)


def test_a_changed_file_is_charged_whatever_sorts_first(repo: Repository, run: Run) -> None:
    repo.git("checkout", "-q", "-b", "topic", "five")
    repo.write("a-first.md", page(40, passage(3001)))  # stands on p30-to-be as well
    repo.write("p31.md", page(31))
    repo.commit("six")
    repo.write("a-first.md", page(40, passage(100 * 29 + 1)))  # copied from p29, not committed
    status, said = run("--changed-since", "main", "--fail-on", "new", "--fail-over", "1%")
    assert status == 1
    assert "docs/a-first.md:9 as docs/p29.md:5" in said
    assert "of the changed files is duplicate" in said


def test_pages_of_other_repositories_are_told(repo: Repository, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    other = repo.root / "docs" / "module"
    other.mkdir()
    Repository(other)
    (other / "new.md").write_text(page(70, SHARED))
    assert "1 file not of the repository of the current folder" in run("--changed-since", "HEAD")[1]
    monkeypatch.chdir(other)
    (other / "new.md").rename(other / "committed.md")
    subprocess.run(["git", "add", "-A"], check=True, cwd=other)
    subprocess.run(["git", "commit", "-qm", "1"], check=True, cwd=other)
    assert cli.main(["scan", "..", "--exclude", "module/",
                     "--changed-since", "HEAD", "--fail-on", "new"]) == 2


def test_in_a_repository_without_a_commit_every_file_is_new(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True, cwd=tmp_path)
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(page(1))
    subprocess.run(["git", "add", "a.md"], check=True, cwd=tmp_path)
    assert changed_files("HEAD", tmp_path) == {(tmp_path / name).resolve() for name in ("a.md", "b.md")}
    with pytest.raises(OptionError, match="is no commit"):
        changed_files("main", tmp_path)


def test_a_file_that_git_does_not_know_yet_has_changed(repo: Repository, run: Run) -> None:
    repo.write("zz.md", page(50, passage(100 * 3 + 2)))
    status, said = run("--changed-since", "main", "--fail-on", "new")
    assert status == 1
    assert "docs/zz.md:9 as docs/p03.md:7" in said


def test_a_commit_that_is_not_there_is_wrong_usage(repo: Repository, run: Run) -> None:
    for ref in ("no-such-ref", "--help", ""):
        status, said = run(f"--changed-since={ref}")
        assert status == 2
        assert "is no commit of this repository" in said


def test_outside_a_repository_it_says_so(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(page(1))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    status, said = run("--changed-since", "main")
    assert status == 2
    assert "is in no git repository" in said


def test_without_git_it_says_so(repo: Repository, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    status, said = run("--changed-since", "main")
    assert status == 2
    assert "git cannot be started" in said


# Wrong usage.


@pytest.mark.parametrize(("arguments", "why"), [
    (["--fail-over", "5"], "--fail-over: 5 is out of range. Did you mean 5%?"),
    (["--fail-over", "lots"], "is not a share"), (["--fail-over=-1%"], "out of range"),
    (["--fail-on", "new"], "nothing says what is new"), (["--fail-on", "twice"], "'twice' is not one of new, rendered-twice"),
    (["--update-baseline"], "there is no file to write"), (["--threshold", "5"], "duplicate is --fail-over 5%."),
    (["--baseline", "b", "--update-baseline", "--changed-since", "main"], "--update-baseline"),
])
def test_a_gate_that_makes_no_sense_is_refused(repo: Repository, run: Run, arguments: list[str], why: str) -> None:
    status, said = run(*arguments)
    assert status == 2
    assert why in said


def test_gates_in_python() -> None:
    with pytest.raises(OptionError, match="is not one of new"):
        Gates(fail_on=("often",))
    assert share_of("12.5%", "fail_over") == 0.125
    report = dedup.scan([{"id": "a", "text": SHARED}, {"id": "b", "text": SHARED}])
    passed = Gates(fail_over=0.3, fail_on=("copy-of",)).opened(Path()).judge(report)
    assert [failure.split(":")[0] for failure in passed.failures] == [
        "50.0 % of the content is duplicate, more than --fail-over 30% (template, navigation and refrains do not count)",
        "--fail-on copy-of"]


def test_a_share_just_above_the_gate_is_told_in_digits_that_differ() -> None:
    report = dedup.scan([{"id": "a", "text": SHARED}, {"id": "b", "text": SHARED + "\n\n" + "Nobody has said these words."}])
    share = report.summary.content_share
    passed = Gates(fail_over=share - 0.00001).opened(Path()).judge(report)
    shown, limit = (float(part.split("%")[0].split(" ")[-2 if n == 0 else -1]) for n, part in enumerate(
        passed.failures[0].split("more than --fail-over ")))
    assert shown > limit
    assert passed.failures[0].count(".") == 2


# Fingerprints and entries.


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=300), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_a_fingerprint_is_read_as_it_was_written_and_holds_its_parts(words: list[str], pick: random.Random) -> None:
    text = " ".join(words)
    whole = Fingerprint.of([text])
    assert Fingerprint.read(str(whole)) == whole
    assert len(whole.hashes) <= 16
    assert whole.inside(whole) == (1.0 if whole.hashes else 0.0)
    start = pick.randrange(len(words))
    part = Fingerprint.of([" ".join(words[start:start + 60])])
    if len(words[start:start + 60]) >= 3 and len(part.at(max(part.scale, whole.scale))) >= LEAST:
        assert part.inside(whole) == 1.0
    assert Fingerprint.of([text.upper(), f"  {text}!"]) == whole


def test_a_phrase_of_a_long_passage_makes_nothing_known() -> None:
    words = [f"w{n}" for n in range(4000)]
    known = Baseline([Entry(Fingerprint.of([" ".join(words)]), 2)])
    for at in range(0, 3900, 13):
        own = [f"own{at}w{n}" for n in range(40)]
        assert known.entry_of(Fingerprint.of([" ".join([*own[:20], *words[at:at + 6], *own[20:]])])) is None
    assert known.entry_of(Fingerprint.of([" ".join(words[:2500])])) == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.frozensets(st.integers(1, 60), min_size=1, max_size=8)), max_size=12),
       st.integers(0, 4), st.frozensets(st.integers(1, 60), min_size=1, max_size=8))
def test_the_entry_of_a_passage_is_that_of_all_entries(made: list[tuple[int, frozenset[int]]], scale: int,
                                                       hashes: frozenset[int]) -> None:
    known = Baseline([Entry(_sample(*one), 2 + number % 3) for number, one in enumerate(made)])
    passage = _sample(scale, hashes)
    shares = [(entry.fingerprint == passage, passage.inside(entry.fingerprint), entry.copies, -number)
              for number, entry in enumerate(known.entries) if passage.inside(entry.fingerprint) >= 0.6]
    assert known.entry_of(passage) == (-max(shares)[3] if shares else None)


def test_an_entry_that_allows_as_many_copies_goes_before_a_closer_one() -> None:
    """Of an edited text two groups were accepted: now all its copies are one, whose words are those of the smaller group."""
    words = passage(9_004, 90).split()
    own, wider = Fingerprint.of([" ".join(words)]), Fingerprint.of([" ".join(words[:80])])
    assert 0.6 <= own.inside(wider) < 1.0
    known = Baseline([Entry(own, 2), Entry(wider, 3)])
    numbers = [known.entry_of(own, copies) for copies in range(5)]
    assert [None if number is None else known.entries[number].copies for number in numbers] == [2, 2, 2, 3, 2]


def _sample(scale: int, hashes: frozenset[int]) -> Fingerprint:
    return Fingerprint(frozenset(value << scale for value in hashes), scale)


def test_what_every_passage_says_is_looked_up_nowhere() -> None:
    said = " ".join(f"every{n}" for n in range(12))
    known = Baseline([Entry(Fingerprint.of([f"{said} {passage(n, 30)}"]), 2) for n in range(300)])
    other = Fingerprint.of([f"{said} {passage(300, 30)}"])
    assert len(known._candidates(other)) < 30
    assert known.entry_of(other) is None


def test_a_baseline_holds_any_name_and_text(tmp_path: Path) -> None:
    file = tmp_path / "known.jsonl"
    Baseline([Entry(Fingerprint.of([SHARED]), 2, "\udce4 \u2028 \r", ("l\udce4.md", "a\nb.md"))]).write(file)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))  # as an editor of Windows leaves it
    (entry,) = Baseline.read(file).entries
    assert (entry.text, entry.pages) == ("\udce4 \u2028 \r", ("l\udce4.md", "a\nb.md"))


def test_an_entry_of_two_branches_counts_once() -> None:
    name = Fingerprint.of([SHARED])
    merged = Baseline([Entry(name, 2, "a"), Entry(name, 3, "b", reason="why")])
    assert [(e.copies, e.reason) for e in merged.entries] == [(3, "why")]
    assert merged.entry_of(Fingerprint.of([SHARED])) == 0
    assert merged.entry_of(Fingerprint.of([OTHER])) is None


def test_two_baselines_put_together_are_read(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "both")]
    Baseline([Entry(Fingerprint.of([SHARED]), 2)]).write(paths[0])
    Baseline([Entry(Fingerprint.of([OTHER]), 4)]).write(paths[1])
    paths[2].write_text(paths[0].read_text() + paths[1].read_text())
    assert sorted(entry.copies for entry in Baseline.read(paths[2]).entries) == [2, 4]
    with pytest.raises(InputError, match="cannot be read"):
        Baseline.read(tmp_path)
