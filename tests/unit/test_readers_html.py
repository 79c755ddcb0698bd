"""HTML: blocks, their places in the source, their flags, and pages that mean harm."""

from __future__ import annotations

import gzip
import random
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dedup.errors import OptionError
from dedup.model import BlockFlag, BlockKind
from dedup.options import Options
from dedup.readers import hints, open_pages, parsed, spawn
from dedup.readers.html import read_html
from dedup.readers.jobs import Job
from dedup.readers.pool import WorkerPool
from dedup.readers.sourcemap import LineEnds
from dedup.readers.worker import MEMORY_LIMIT
from tests.readers_help import assert_sound, block_texts, data, mapped_errors, parse, read


def blocks(source: str) -> list[str]:
    return block_texts(parse(source))


def flags_of(source: str) -> dict[str, BlockFlag]:
    page = parse(source)
    return {text: BlockFlag(int(flag)) for text, flag in zip(block_texts(page), page.layout.flags, strict=True)}


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("<p>one<p>two", ["one", "two"]),
        ("<div>before<p>inside</p>after</div>", ["before", "inside", "after"]),
        ("<p>one<br>two<hr>three", ["one", "two", "three"]),
        ("<p>a <b>bold</b><i>er</i>  word", ["a bolder word"]),
        ("<ul><li>one<li>two</ul>", ["one", "two"]),
        ("<table><tr><td>a<td>b<tr><th>c</table>", ["a", "b", "c"]),
        ("<pre>\n  two\n   lines </pre>", ["two\n   lines"]),
        ("<p>no\xa0break &nbsp; here", ["no break here"]),
        ("<button>press</button><label>name</label><select><option>x<option>y</select>", ["press", "name", "x", "y"]),
        (
            "<head><title>T</title><style>s</style></head><script>s</script><noscript>n</noscript><template>t</template>"
            "<svg><text>s</text></svg><iframe>i</iframe><textarea>a</textarea><p>left",
            ["left"],
        ),
        ("<math><mi>x</mi></math>", ["x"]),
        ("<p hidden>h</p><p style='display: none'>d</p>", ["h", "d"]),
        ("", []),
        ("   \n ", []),
        ("just text", ["just text"]),
        ("<p></p><div> </div>", []),
        ("a<!-- c -->b", ["ab"]),
        ("<p>1 &lt; 2 &amp;&amp; 3", ["1 < 2 && 3"]),
        ("<body><article><h1>Head</h1>text beside<p>par</article>", ["Head", "text beside", "par"]),
    ],
)
def test_blocks_are_innermost_elements_and_the_text_beside_them(source: str, texts: list[str]) -> None:
    assert blocks(source) == texts


def test_places_lead_back_to_the_source() -> None:
    source = (
        "<!doctype html>\r\n<title>A &amp; B</title>\r\n<div id=x>\r\n  <p>One  &eacute;l\r\n<b>two</b>&copyright"
        " <!-- no -->three</p>tail\r\n<pre>\r\na\r\nb</pre><p>&zzz; &#8217;s 𝄞 end</div>"
    )
    page = parse(source)
    assert page.title == "A & B"
    assert block_texts(page) == ["One él two©right three", "tail", "a\nb", "&zzz; ’s 𝄞 end"]
    assert mapped_errors(page.text, source, page.layout) == []
    assert all(b > a for a, b in zip(page.layout.map_first, page.layout.map_first[1:], strict=False))
    assert source[page.layout.source_start[1] : page.layout.source_end[1]] == "tail"
    assert source[page.layout.source_start[0] : page.layout.source_end[0]].endswith("three")
    assert page.layout.line.tolist() == [4, 5, 7, 8]
    assert page.layout.end_line.tolist() == [5, 5, 8, 8]
    assert page.layout.path[0] == "/html/body/div/p[1]"


def test_a_place_that_ends_with_a_reference_ends_behind_it() -> None:
    source = "<p>Tom &amp; Jerry&rsquo;"
    layout = parse(source).layout
    assert source[layout.source_start[0] : layout.source_end[0]] == "Tom &amp; Jerry&rsquo;"


def test_text_that_the_parser_moved_has_no_false_map() -> None:
    source = "<table>moved<tr><td>cell</td></tr>also moved</table><p><b>a<p>b</b>c<i>d</p>e</i>"
    page = parse(source)
    assert_sound(page.layout, page.text)
    assert mapped_errors(page.text, source, page.layout) == []


def test_flags_say_hidden_navigation_quote_table_and_device() -> None:
    flags = flags_of(
        "<body class=has-menu><header>site</header><nav><ul><li>home</ul></nav><div class=breadcrumbs>where</div>"
        "<article><header><h1>headline</h1></header><p>body text</p><blockquote>quoted</blockquote>"
        "<div class='article-header'>sub</div></article><table><tr><td>cell</table><p hidden>gone"
        "<div style='display:none'><p>none</div><div class='mobile-only'>phone</div><p class='d-none'>dn"
        "<div class='sm:hidden'>tw</div><div id=mainNav>m</div><footer>foot</footer>"
    )
    nav, device = BlockFlag.NAVIGATION, BlockFlag.DEVICE
    assert flags == {
        "site": nav,
        "home": nav,
        "where": nav,
        "headline": BlockFlag.NONE,
        "body text": BlockFlag.NONE,
        "quoted": BlockFlag.QUOTE,
        "sub": BlockFlag.NONE,
        "cell": BlockFlag.TABLE_OR_CODE,
        "gone": BlockFlag.HIDDEN,
        "none": BlockFlag.HIDDEN,
        "phone": device,
        "dn": device,
        "tw": device,
        "m": nav,
        "foot": nav | BlockFlag.FOOTER,
    }


def test_flags_say_form_footer_code_and_who_wrote_a_post() -> None:
    form, quote, code = BlockFlag.FORM, BlockFlag.QUOTE, BlockFlag.TABLE_OR_CODE | BlockFlag.CODE
    flags = flags_of(
        "<p>long text of the page, so that nothing else holds most of it</p><form><label>name</label><p>in a form</p></form>"
        "<select><option>one</select><div class='filter-list'><p>size</div><div class='newsletter'><p>mails</div>"
        "<pre>code</pre><aside class='cAuthorPane'><p>who</aside><div class='message-user'><p>xen</div>"
        "<blockquote class='pull-quote'><p>pulled</blockquote><div class=pullquote><p>pulled too</div>"
        "<h2 id='a_page_about_the_nav_menu_quote'>head</h2><div class='cmplz-banner'><p>notice</div>"
        "<div class='site-footer'><p>foot</div><div role=contentinfo><p>info</div>"
    )
    foot = BlockFlag.NAVIGATION | BlockFlag.FOOTER
    assert flags == {
        "long text of the page, so that nothing else holds most of it": BlockFlag.NONE, "name": form,
        "in a form": BlockFlag.NONE, "one": form, "size": form, "mails": form, "code": code, "who": quote, "xen": quote,
        "pulled": BlockFlag.NONE, "pulled too": BlockFlag.NONE, "head": BlockFlag.NONE, "notice": BlockFlag.NAVIGATION,
        "foot": foot, "info": foot}


def test_what_holds_most_of_the_page_is_no_menu_and_main_is_none() -> None:
    flags = flags_of(f"<div class='sticky-footer'><p>{'text ' * 20}</p></div><div class='menu'><p>menu</p></div>")
    assert list(flags.values()) == [BlockFlag.NONE, BlockFlag.NAVIGATION]
    flags = flags_of("<div class='menu'><p>menu</p><main><p>text</p><nav><p>on this page</p></nav></main></div>"
                     + "<i></i>" * 20)
    assert flags == {"menu": BlockFlag.NAVIGATION, "text": BlockFlag.NONE, "on this page": BlockFlag.NAVIGATION}


def test_a_block_has_a_flag_of_an_inline_element_only_where_all_its_text_does() -> None:
    assert flags_of("<p>use <code>x</code> here<div><span hidden>all of it</span></div><p>a <q>b</q>") == {
        "use x here": BlockFlag.NONE, "all of it": BlockFlag.HIDDEN, "a b": BlockFlag.NONE}


def test_kinds_and_link_chars() -> None:
    page = parse(
        "<h2>h</h2><p>a <a href=x>link</a> b<ul><li>i</ul><table><caption>c</caption><tr><td>t</table><pre>x</pre>"
        "<figure><figcaption>f</figcaption></figure>"
    )
    kinds = dict(zip(block_texts(page), map(BlockKind, page.layout.kind.tolist()), strict=True))
    assert kinds == {
        "h": BlockKind.HEADING,
        "a link b": BlockKind.PARAGRAPH,
        "i": BlockKind.LIST_ITEM,
        "c": BlockKind.CAPTION,
        "t": BlockKind.CELL,
        "x": BlockKind.CODE,
        "f": BlockKind.CAPTION,
    }
    assert page.layout.link_chars.tolist()[1] == 4


def test_the_workers_numbers_are_the_models() -> None:
    assert [getattr(hints, flag.name) for flag in BlockFlag if flag] == [flag.value for flag in BlockFlag if flag]
    assert [getattr(parsed, kind.name) for kind in BlockKind] == [kind.value for kind in BlockKind]


def test_select_and_ignore_by_css(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<nav>menu</nav><main><p>keep<p class=x>drop</main>")
    (page,), _ = read(tmp_path, select="main", ignore=".x")
    assert page.text == "keep"
    with pytest.raises(OptionError, match="select"):
        open_pages(tmp_path, select="p[")


def test_title_is_the_first_heading_where_there_is_none() -> None:
    assert parse("<p>x<h2>Head <i>line</i></h2>").title == "Head line"
    assert parse("<p>x").title is None


@pytest.mark.parametrize(
    ("raw", "text", "guessed"),
    [
        ("<p>grün".encode(), "grün", False),
        (b"\xef\xbb\xbf<p>gr\xc3\xbcn", "grün", False),
        ("<p>grün".encode("utf-16"), "grün", False),
        (b"<meta charset=iso-8859-2><p>\xb1", "ą", False),
        ("<meta http-equiv=x content='text/html; charset=gb2312'><p>中文㐂".encode("gb18030"), "中文㐂", False),
        (b"<p>gr\xfcn", "grün", True),
        (b"<meta charset=rot13><p>gr\xfcn", "grün", True),
    ],
)
def test_encodings(raw: bytes, text: str, guessed: bool) -> None:
    page = parse(raw)
    assert page.text == text
    assert bool(page.encoding) == guessed


HOSTILE = {
    "div nested 100,000 deep": "<div>x" * 100_000,
    "list nested": "<ul><li>x" * 50_000,
    "fonts unclosed": "<p>" + "".join(f"<font size={i}>" for i in range(3000)) + "<p>x" * 300,
    "50,000 attributes": "<p " + " ".join(f"a{i}=1" for i in range(50_000)) + ">text",
    "attributes without end": "<p " + "a='" * 100_000,
    "comments unclosed": "x<!--" * 100_000,
    "tags unclosed": "<a" * 200_000,
    "less than": "<" * 1_000_000,
    "stray end tags": "<p>a" + "</b>x" * 100_000,
    "references": "&amp;" * 200_000,
    "no references": "&zzz" * 200_000,
    "adoption": "".join(f"<b id={i}>" for i in range(4000)) + "x</b>" * 4000,
    "paragraphs": "<p>x" * 100_000,
    "rows": "<table>" + "<tr><td>x" * 50_000,
    "moved text": "<table>" + "a<tr>b" * 30_000,
    "blanks": "<p>" + " \n" * 500_000 + "x",
    "long class": f"<p class='{'nav-' * 100_000}'>x",
    "nulls": "<p>" + "\0" * 300_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_end_or_are_refused_by_name(name: str) -> None:
    page = parse(HOSTILE[name])
    assert page.refused or page.layout is not None
    if page.layout is not None:
        assert_sound(page.layout, page.text)


def test_a_page_beyond_the_memory_limit_is_skipped_and_the_rest_goes_on(tmp_path: Path) -> None:
    bomb = "<p>" + "".join(f"<font size={i}>" for i in range(500)) + "<p>x" * 64_000  # 4.4 GB of clones
    (tmp_path / "a.html").write_text("<p>first")
    (tmp_path / "b.html").write_text(bomb)
    (tmp_path / "c.html").write_text("<p>last")
    pages, stream = read(tmp_path, threads=1)
    assert [page.text for page in pages] == ["first", "last"]
    assert len(stream.errors) == 1
    assert stream.errors[0].source.endswith("b.html")
    assert f"{MEMORY_LIMIT >> 20} MB" in stream.errors[0].message
    assert stream.skipped[0].count == 1


def test_a_worker_that_dies_costs_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker is killed by the page itself: here by a worker that exits on a word."""
    import subprocess
    import sys

    code = (
        "import dedup.readers.worker as w, os\nold = w.parse\n"
        "def parse(form, data, *rest):\n    if b'DIE' in data: os._exit(9)\n    return old(form, data, *rest)\n"
        "w.parse = parse\nw.main()"
    )

    def start() -> Any:
        root = str(Path(__file__).resolve().parents[2])
        return subprocess.Popen(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{code}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    monkeypatch.setattr("dedup.readers.pool.start_worker", start)
    pool = WorkerPool(1, Options())
    try:
        jobs = [Job("html", b"<p>a"), Job("html", b"<p>DIE"), Job("html", b"<p>c")]
        answers = pool.submit(jobs).result()
    finally:
        pool.close()
    assert [answer.text for answer in answers] == ["a", "", "c"]
    assert "exit status 9" in answers[1].refused


def test_a_worker_ends_with_its_parent() -> None:
    worker = spawn.start_worker()
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(timeout=20) == 0
    assert worker.stdout is not None
    worker.stdout.close()


def test_a_worker_starts_ahead_where_the_command_line_names_a_page(tmp_path: Path) -> None:
    page, other = tmp_path / "page.HTML", tmp_path / "notes.txt"
    page.write_text("<p>x")
    other.write_text("x")
    for arguments in (["scan", str(other)], ["scan", "-o", str(page), str(other)], ["scan", str(tmp_path)],
                      ["scan", str(tmp_path / "absent.html")], ["scan"], []):
        assert not spawn.start_ahead(arguments), arguments
    assert spawn.start_ahead(["scan", str(other), str(page)])
    (ahead,) = spawn._waiting
    pool = WorkerPool(1, Options())
    try:
        (answer,) = pool.submit([Job("html", b"<p>one")]).result()
        assert answer.text == "one"
        assert pool._processes == {ahead}
        assert spawn._waiting == []
    finally:
        pool.close()


def test_a_worker_started_ahead_for_nothing_is_ended(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>x")
    assert spawn.start_ahead(["scan", str(page)])
    (ahead,) = spawn._waiting
    spawn.end_waiting()
    assert ahead.returncode is not None
    assert spawn._waiting == []


def test_a_dead_worker_is_not_taken(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>x")
    assert spawn.start_ahead(["scan", str(page)])
    (dead,) = spawn._waiting
    dead.kill()
    dead.communicate()
    pool = WorkerPool(1, Options())
    try:
        (answer,) = pool.submit([Job("html", b"<p>one")]).result()
        assert answer.text == "one"
    finally:
        pool.close()


def test_the_start_of_a_worker_imports_no_numpy() -> None:
    import subprocess
    import sys

    code = "import sys, dedup.cli, dedup.readers.spawn; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).resolve().parents[2])
    assert done.stdout.strip() == "False"


def test_a_worker_imports_no_numpy() -> None:
    import subprocess
    import sys

    code = "import sys, dedup.readers.worker, dedup.readers.html, dedup.readers.markdown; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.stdout.strip() == "False"


# -- real pages ---------------------------------------------------------------------------------------------


def real_pages(folder: str, limit: int) -> list[tuple[str, str]]:
    files = sorted(data(folder).glob("*.html.gz"))
    sources = []
    for path in files[:: max(1, len(files) // limit)][:limit]:
        raw = gzip.decompress(path.read_bytes())
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("gb18030", "replace")
        sources.append((path.name, text.removeprefix("\ufeff")))
    return sources


class PlainBlocks(HTMLParser):
    """Texts of block-level elements in order, by the standard library: a plain reading, independent of ours."""

    BLOCK = hints.words(
        "address article aside blockquote body br button caption center dd details dialog dir div dl dt fieldset "
        "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html label legend li main nav ol option p pre "
        "section select summary table tbody td tfoot th thead title tr ul"
    )
    SKIP = frozenset({"script", "style", "noscript", "template", "svg", "head", "iframe", "textarea"})

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self.parts: list[str] = []
        self.skipped: list[str] = []
        self.starts: set[tuple[int, int]] = set()
        self.feed(source)
        self.close()
        self.end_block()

    def end_block(self) -> None:
        if text := " ".join("".join(self.parts).split()):
            self.blocks.append(text)
        self.parts = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.starts.add(self.getpos())
        if tag == "body":
            self.skipped = []
        if tag in self.SKIP:
            self.skipped.append(tag)
        elif tag in self.BLOCK:
            self.end_block()

    def handle_endtag(self, tag: str) -> None:
        if tag in self.skipped:
            del self.skipped[self.skipped.index(tag) :]
        elif tag in self.BLOCK:
            self.end_block()

    def handle_data(self, text: str) -> None:
        if not self.skipped:
            self.parts.append(text)


@pytest.mark.parametrize("folder", ["html_within_page", "site_pages", "cc_legalcode"])
def test_real_pages_map_back_exactly_and_agree_with_a_plain_reading(folder: str) -> None:
    agreed = total = 0
    for name, source in real_pages(folder, 8):
        page = read_html(source)
        answer = parse(source)
        assert answer.text == page.text, name
        assert_sound(answer.layout, answer.text)
        assert mapped_errors(answer.text, source, answer.layout) == [], name
        assert (answer.layout.map_first[1:] > answer.layout.map_first[:-1]).all(), f"{name}: a block without a map"
        theirs = PlainBlocks(source).blocks
        ours = {" ".join(text.split()) for text in block_texts(answer)}
        agreed += sum(text in ours for text in theirs)
        total += len(theirs)
    assert agreed / total >= 0.995


@pytest.mark.parametrize("folder", ["html_within_page", "site_pages", "cc_legalcode"])
def test_start_tags_stand_where_the_standard_library_sees_them(folder: str) -> None:
    """Condition 4 of depending on turbohtml: the way back to html.parser stays open."""
    import turbohtml

    seen = 0
    for name, source in real_pages(folder, 8):
        text = LineEnds(source).text
        starts = PlainBlocks(text).starts
        document = turbohtml.parse(text, source_locations=True, allow_declarative_shadow_roots=False)
        for element in document.root.descendants:
            location = getattr(element, "source_location", None)
            if location is not None:
                assert (location.start_tag.start_line, location.start_tag.start_col) in starts, name
                seen += 1
    assert seen > 100


def test_paths_are_those_of_the_parser() -> None:
    """Our own path of each block finds an element, and the one that turbohtml names so."""
    import turbohtml

    for name, source in real_pages("html_within_page", 4):
        document = turbohtml.parse(LineEnds(source).text, allow_declarative_shadow_roots=False)
        names = {element.xpath_path() for element in document.select("*")}
        ours = set(read_html(source).paths)
        assert {path for path in ours if "name()" not in path} <= names, name


@pytest.mark.parametrize("folder", ["html_within_page", "site_pages", "cc_legalcode"])
def test_real_pages_are_read_alike_by_both_walks(folder: str) -> None:
    """The kernel's, compiled where it can be, and the one of cleaning."""
    from dedup.readers.html import Walk, walked

    rng = random.Random(11)
    for name, source in real_pages(folder, 8):
        damaged = list(source[:20_000])
        for _ in range(60):
            piece = rng.choice(["</p>", "<b>", "<table>", "<a id=x>", "<select>", "</a>", "<div>"])
            damaged.insert(rng.randrange(len(damaged)), piece)
        for text in (source, "".join(damaged)):
            page, plain = read_html(text), walked(LineEnds(text), (), (), Walk).builder.build(None)
            assert (page.packed, page.packed_columns) == (plain.packed, plain.packed_columns), name


def test_damaged_pages_keep_true_maps() -> None:
    rng = random.Random(7)
    for name, source in real_pages("site_pages", 3):
        for _ in range(3):
            cut = list(source[:40_000])
            for _ in range(60):
                at = rng.randrange(len(cut))
                cut[at] = rng.choice(["<", ">", "</p>", "<b>", "<table>", "&", '"', "", "<!--", "<select>"])
            damaged = "".join(cut)
            page = parse(damaged)
            assert_sound(page.layout, page.text)
            assert mapped_errors(page.text, damaged, page.layout) == [], name


def test_the_name_of_an_attribute_may_be_broken() -> None:
    """A lone surrogate there, from a string in JSON: turbohtml cannot list the places of such a tag."""
    answer = parse("<p \ud800=1>one</p><div \ud800 class=menu>two <b>three</b></div>")
    assert (answer.refused, block_texts(answer)) == ("", ["one", "two three"])
    assert answer.layout.flags.tolist() == [0, 2]


def test_a_page_of_too_many_nodes_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    import turbohtml

    from dedup.readers import html

    monkeypatch.setattr(html, "MAX_NODES", 1000)
    refused = ["<p>" * 1100, "<p>x" * 600, "<b>x</b>y" * 400, "<p class='a b'>x y\n" * 600, "x" * 3000 + "<P>" * 1001]
    few = ["<p>" * 990 + " " * 2000, "x" * 3000, "<p>" + "a > b &lt; c " * 1000, "<!--" + "<p>" * 2000 + "--><p>x",
           "<script>" + "<p>" * 2000 + "</script><p>x", "<script>" + "<p>" * 2000, "<SCRIPT>" * 2000, "<!--" * 2000,
           "<title>" + "<p>x" * 2000 + "</title>y"]
    for source in few:
        html.read_html(source)
    monkeypatch.setattr(turbohtml, "parse", None)
    for source in refused:
        with pytest.raises(html.PageLimitError, match="more than 1,000 nodes"):
            html.read_html(source)
