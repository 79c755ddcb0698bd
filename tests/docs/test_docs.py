"""What the documentation says is so: settings, links, and examples, which run."""

import dataclasses
import doctest
import importlib.util
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from dedup.options import Options

ROOT = Path(__file__).parents[2]
NOT_OURS = {ROOT / "examples" / "news.md"}  # a page to be scanned
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md"),
                *ROOT.glob("benchmarks/*.md")} - NOT_OURS)
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.M | re.S)


def fenced(kind):
    """Documentation files with fenced blocks of a kind, and these blocks."""
    found = [(page, [block for name, block in FENCE.findall(page.read_text(encoding="utf-8")) if name == kind])
             for page in PAGES]
    return [pytest.param(page, blocks, id=page.relative_to(ROOT).as_posix()) for page, blocks in found if blocks]


def commands():
    """Each ``$ dedup ...`` of the documentation with the output shown below it."""
    for param in fenced("console"):
        for block in param.values[1]:
            for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
                command, _, shown = part.partition("\n")
                if command.startswith("dedup "):
                    yield pytest.param(command.split("  #")[0], shown, id=f"{param.id}: {command}")


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_settings_is_the_one_made_from_the_fields():
    made = script("make_parameters")
    assert made.FILE.read_text(encoding="utf-8") == made.parameters(), "stale: run python scripts/make_parameters.py"


def test_the_page_of_the_command_line_is_the_one_made_from_the_parser():
    made = script("make_cli")
    assert made.FILE.read_text(encoding="utf-8") == made.cli_page(), "stale: run python scripts/make_cli.py"


def test_each_setting_is_documented():
    text = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(Options):
        assert f"| `--{field.name.replace('_', '-')}` |" in text
        assert field.metadata["doc"], field.name


def table_of_columns(heading):
    """Names and types in the table of columns below a heading of docs/page-table.md."""
    text = (ROOT / "docs" / "page-table.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [(name, kind) for name, kind in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.M)]


def test_the_tables_of_columns_are_those_of_the_code():
    from dedup.report.page_table import COLUMNS, SPAN_FIELDS

    assert table_of_columns("Columns") == list(COLUMNS)
    text = (ROOT / "docs" / "page-table.md").read_text(encoding="utf-8")
    for name, _ in SPAN_FIELDS:
        assert f"`{name}`" in text.split("\n## Spans\n")[1].split("\n## ")[0]


def test_the_tables_of_columns_are_those_of_arrow():
    pa = pytest.importorskip("pyarrow")
    from dedup import scan

    names = {pa.float64(): "float64", pa.list_(pa.int64()): "list<int64>", pa.list_(pa.string()): "list<string>"}
    for rows, heading in (("groups", "A row a group"), ("occurrences", "A row an occurrence")):
        shown = [(f.name, names.get(f.type, str(f.type))) for f in scan([]).to_arrow(rows).schema]
        assert table_of_columns(heading) == shown
    for field, (name, kind) in zip(scan([]).to_arrow().schema, table_of_columns("Columns"), strict=True):
        assert field.name == name
        assert names.get(field.type, str(field.type)).replace("item: ", "") == kind


def test_how_it_works_names_each_setting_and_its_true_default():
    text = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    fields = {field.name.replace("_", "-"): field for field in dataclasses.fields(Options)}
    told = {"against", "explain", "profile"}  # no settings: pages, and what is told
    assert set(re.findall(r"`--([a-z-]+)", text)) == {*fields, *told}
    for flag, shown in re.findall(r"`--([a-z-]+)` \(([^)]*)\)", text):
        default = fields[flag].default
        told = {True: "on", False: "off"}[default] if isinstance(default, bool) else f"`{default}`"
        assert shown == told, flag


def slugs(text):
    """Anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_resolve(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        assert not path.startswith("/"), target
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in slugs(file.read_text(encoding="utf-8")), target


def recipes():
    """Each section of a page of recipes that has examples, with those above the first section before its own; or the page."""
    for page in sorted((ROOT / "docs" / "recipes").glob("*.md")):
        start, *sections = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.M)
        above, *own = ([block for name, block in FENCE.findall(part) if name == "python"] for part in (start, *sections))
        if above and not any(own):
            yield pytest.param(page, above, id=page.name)
        for section, blocks in zip(sections, own, strict=True):
            if blocks:
                yield pytest.param(page, [*above, *blocks], id=f"{page.name}: {section.splitlines()[0]}")


@pytest.mark.parametrize(("page", "blocks"), [
    *(param for param in fenced("python") if param.values[0].parent.name != "recipes"), *recipes()])
def test_python_examples_run(page, blocks, monkeypatch, request):
    """The examples of a page run one after the other, in the project's root."""
    monkeypatch.chdir(ROOT)
    if any("6379" in block for block in blocks):  # a server of the test's own stands for that of the reader
        port = request.getfixturevalue("redis_server").rpartition(":")[2].partition("/")[0]
        blocks = [block.replace("6379", port) for block in blocks]
    if any("pyspark" in block for block in blocks):
        request.getfixturevalue("spark")
    for library in sorted(set(re.findall(r"^>>> (?:import|from) (\w+)", "\n".join(blocks), re.M))):
        pytest.importorskip(library, reason=f"LOUD: the examples of {page.name} with {library} do not run: it is not there")
    said = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    assert test.examples, "a python block without >>> cannot be tested"
    runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


@dataclasses.dataclass
class Done:
    """What a command has said."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch, capfd):
    """Runs commands of the documentation in a folder, as they print into a pipe of 80 columns."""
    from dedup.cli import main

    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")

    def done(command, folder):
        monkeypatch.chdir(folder)
        capfd.readouterr()
        return Done(main(shlex.split(command)[1:]), *capfd.readouterr())
    return done


@pytest.mark.parametrize(("command", "shown"), [*commands()])
def test_commands_run_and_print_what_is_shown(command, shown, run):
    """Where output is shown it is the command's; ``...`` stands for what was left out."""
    done = run(command, ROOT)
    assert done.returncode in (0, 1), done.stderr
    if shown.strip():
        printed = "\n".join(map(str.rstrip, done.stdout.rstrip().splitlines())) + "\n"
        assert doctest.OutputChecker().check_output(shown.rstrip() + "\n", printed, doctest.ELLIPSIS), done.stdout


def sketched():
    """Commands of the documentation on files that everybody has to think of: those in ``sh`` blocks, and in --help."""
    from dedup.cli_help import EXAMPLES

    lines = [line for param in fenced("sh") for block in param.values[1] for line in block.splitlines()]
    lines += [line.strip() for text in EXAMPLES.values() for line in text.splitlines()]
    return sorted({re.split(r"  +| > ", line)[0] for line in lines if line.startswith("dedup ")})


@pytest.mark.parametrize("command", sketched())
def test_commands_on_files_of_the_readers_own_run(command, tmp_path, run):
    examples = ROOT / "examples"
    shutil.copytree(examples / "site", tmp_path / "site")
    shutil.copytree(examples, tmp_path / "examples")
    for name, source in {"page.html": "news.html", "old.txt": "news.txt", "new.txt": "news.txt",
                         "corpus.jsonl": "notices.jsonl"}.items():
        shutil.copy(examples / source, tmp_path / name)
    if command.split()[1] in ("restore", "explain"):
        run("dedup clean page.html -o cleaned/", tmp_path)
        run("dedup clean page.html -o build/cleaned/", tmp_path)
    if command.startswith("dedup report report.json"):
        run("dedup scan site/ --with-text -o report.json", tmp_path)
    if "docs/" in command:
        documentation_under_git(tmp_path, run)
    if command.startswith("dedup index ") and "index create" not in command:
        run("dedup index create site.dedup site/ --levels page,block,passage", tmp_path)
    if "more/" in command:
        shutil.copytree(examples / "site", tmp_path / "more")
    done = run(command, tmp_path)
    if "--fail-" in command:
        assert done.returncode in (0, 1), done.stderr
        assert all(line.startswith("dedup: ") for line in done.stderr.splitlines())
    else:
        notes = ("dedup: --for ", "dedup: baseline written: ", "1 page added; the index holds ")
        told = [line for line in done.stderr.splitlines() if not line.startswith(notes)]
        assert (done.returncode, told) == (0, [])


def documentation_under_git(folder, run):
    """The pages of the example site as documentation, committed, and what of it repeats as a baseline."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    shutil.copytree(folder / "site", folder / "docs")
    for arguments in (["init", "-q", "-b", "main"], ["add", "docs"],
                      ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", "one"],
                      ["update-ref", "refs/remotes/origin/main", "HEAD"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    assert run("dedup scan docs/ -q --baseline known.jsonl --update-baseline", folder).returncode == 0


def test_the_readme_tells_each_exit_status():
    from dedup import cli

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    told = {int(status) for cell in re.findall(r"^\| ([\d, ]+) \|", text, re.M) for status in cell.split(",")}
    assert told == {cli.DONE, cli.STOPPED, cli.WRONG, cli.PARTLY, 130, 143}


def test_the_map_of_the_house_names_each_module():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for module in (ROOT / "dedup").glob("*.py"):
        assert f"{module.name} " in text or module.name == "__main__.py", module.name
    for name in re.findall(r"^  ([\w/.]+) ", text, re.M):
        assert (ROOT / "dedup" / name).exists(), name
    for name in re.findall(r"`((?:dedup|benchmarks|tests)/[\w/.]+\.\w+)`", text):
        assert (ROOT / name).exists(), name
