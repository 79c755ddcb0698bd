"""Make docs/benchmarks.md of a result file: ``python -m benchmarks.peers.page RESULT.json [-o docs/benchmarks.md]``.

All figures, and all sentences that say who is better, come from the result file.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path

from benchmarks.peers.tables import COST, FOUND, QUALITY, Row, better, by_corpus, median, number, share, table
from benchmarks.peers.tools import OURS

TOP = """# Beside other tools

<!-- Made from benchmarks/results/peers.json by `make benchmarks-page`. A test holds the two equal. -->

What `dedup` takes and finds beside other open-source tools, all in one run on one machine. CPU seconds are of the whole
process and its children, user and system, start-up and reading included; memory is the most private memory at one time
(anonymous; a mapped file does not count), children included. Figures are medians; MB are 10^6 bytes of JSON lines. CPU tells
more than wall time on a machine that others use, too. `OPENBLAS_NUM_THREADS=1` for all: nobody multiplies matrices, and the
threads for it spin for some 0.1 s of CPU when NumPy is imported.
"""

DOCUMENTS = """## Near-duplicate documents

JSON lines in, groups of ids out: documents whose sets of word 5-grams have a Jaccard similarity of at least 0.8. The peers
take 128 minima in 16 bands of 8; daft checks no candidate, the others the estimated similarity. Each is called as its
documentation says and as fast as we could write it ([recipes](../benchmarks/peers/recipe.py)). `dedup` is our recipe of the
same kind in Python; `dedup scan` is the command, whose report holds all places and texts.

*Recall*: share of all exact pairs that end in one group. *Precision*: share of grouped documents that have an alike one in
their group. *Pair precision*: share of pairs put in one group that the groups of the exact pairs hold, too. The exact pairs
come from [a program](../benchmarks/peers/truth.py) that shares nothing with `dedup`. "×" is the figure divided by that of
`dedup`: above 1 we need less.
"""

PASSAGES = """## Passages

JSON lines in, spans of what stands twice out. Found: planted copies of 100 characters and more of which 80 % lie in a span;
*across*: blocks and spans on other pages, *within*: on the same page, *edited*: paragraphs with edited words, from a Jaccard
similarity of .5 on. A suffix array finds each exact repeat, but does not say which places match; `dedup` does.
"""

SCANS = """### The scan alone

`dedup.scan` in a process of its own; the report is made, not written.
"""

EXTREMES = """## One pattern, again and again

`dedup scan FILE --unit UNIT -q`, once each. *identical*: one page of 40 words; *footer*: pages of 30 random words above the
same 20; *template*: pages of 120 words, three of them their own; *form*: the same of 60 words, whose pairs are just below the
threshold of pages. Growth is the CPU of four times the pages divided by that of the quarter: 4 is linear.
"""

PAGE = """## One page

The whole command, start to end.
"""

KERNEL = """## The kernel

One thread, the fastest call; text of the benchmark corpus. The limits were measured in the same run.
"""

REPEAT = """## Repeat it

```sh
make bench-peers                                     # installs the peers into build/peers-venv; 20 MB and 200 MB
make bench-peers SIZES="20MB 200MB 2GB" REPEATS=3    # 2 GB: once, ours and daft
make bench-peers RESULT=benchmarks/results/peers.json && make benchmarks-page    # and this page
python -m benchmarks.kernel                          # the kernel alone
```

The corpus is made by [benchmarks/corpus.py](../benchmarks/corpus.py) from a seed: invented words by Zipf's law, pages copied
whole, with a word appended, and with edits to a known Jaccard similarity from .5 to 1, copied blocks and spans, boilerplate
on many pages. It is kinder to tools that check no candidate than real pages are: unrelated pages share little there.
"""

BUSY = ": **others used the machine, too; the figures are preliminary**"


def page(result: Row) -> str:
    """The page of a result; jobs that were not done are left out."""
    corpora = result["corpora"]
    parts = [TOP, about(result)]
    if result.get("documents"):
        sizes = by_corpus(result["documents"])
        parts += [DOCUMENTS, *(documents(rows, corpora[size], size) for size, rows in sizes), growth(sizes, corpora)]
    if result.get("passages"):
        parts += [PASSAGES, *(passages(rows, corpora[size], size) for size, rows in by_corpus(result["passages"]))]
    if result.get("scans"):
        parts += [SCANS, *(scans(rows, corpora[size], size) for size, rows in by_corpus(result["scans"]))]
    if result.get("extremes"):
        parts += [EXTREMES, extremes(result["extremes"])]
    if result.get("page"):
        parts += [PAGE, one_page(result["page"])]
    if result.get("kernel"):
        parts += [KERNEL, limits(result["limits"]), kernel(result["kernel"], result["limits"][0]["gb_per_s"])]
    return "\n".join(part for part in [*parts, REPEAT] if part)


def about(result: Row) -> str:
    """Machine, date, versions, and who is missing."""
    machine, versions = result["machine"], result["versions"]
    load = [f"{loads[0]:.1f}" for loads in (machine["load"], machine.get("load_at_the_end")) if loads]
    lines = [
        f"Measured on {result['date']}, commit `{result['commit'][:10]}`{' with changes' if result['dirty'] else ''}, "
        f"{result['repeats']} runs of each, in turn.",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_bytes'] / 1e9:.0f} GB of memory, "
        f"{machine['system']}; load before and after {' and '.join(load)}"
        f"{BUSY if machine['load'][0] > machine['cores'] / 2 else ''}.",
        f"Python {versions['python']}, dedup {versions['dedup-toolkit']} ({versions['kernel']} kernel);",
        ", ".join(f"{name} {version}" for name, version in versions["peers"].items()) + ".",
        *(f"Not measured: {name} ({reason})." for name, reason in result["missing"].items())]
    return "\n".join(lines) + "\n"


def documents(rows: list[Row], corpus: Row, size: str) -> str:
    """The table of a corpus, and who is better than we are in what."""
    ours = rows[0]
    if "failed" in ours:
        return f"### {size}\n\n**dedup failed: {ours['failed']}.**\n"
    exact = f"{corpus['exact_pairs']:,} exact pairs" if "exact_pairs" in corpus else "once each, quality not measured"
    head = ["tool", "CPU s", "×", "wall s", "×", "MB per CPU s", "peak MB", "×", *(measure.name for measure in QUALITY)]
    body = []
    for row in rows:
        times = dict.fromkeys(("cpu", "wall", "peak"), "")
        if row is not ours and "runs" in row:
            times = {figure: number(median(row, figure) / median(ours, figure)) for figure in times}
        name = f"**{row['tool']}**" if row is ours else row["tool"]
        body.append(_failed(row) or [
            name, number(median(row, "cpu")), times["cpu"], number(median(row, "wall")), times["wall"], _rate(row, corpus),
            number(median(row, "peak") / 1e6), times["peak"], *(share(measure.of(row)) for measure in QUALITY)])
    said = "; ".join(better(ours, rows, COST + QUALITY))
    said = f"**A peer is better in:** {said}." if said else "No peer is better in any of these."
    return f"### {size}: {corpus['documents']:,} documents, {exact}\n\n{table(head, body)}\n{said}\n"


def growth(sizes: list[tuple[str, list[Row]]], corpora: dict[str, Row]) -> str:
    """How much longer the larger corpora take."""
    lines = []
    for (small, few), (large, many) in itertools.pairwise(sizes):
        before = {row["tool"]: row for row in few if "runs" in row}
        times = [f"{row['tool']} {number(median(row, 'cpu') / median(before[row['tool']], 'cpu'))}"
                 for row in many if "runs" in row and row["tool"] in before]
        bytes_ = corpora[large]["bytes"] / corpora[small]["bytes"]
        lines.append(f"CPU of {large} divided by that of {small} ({bytes_:.1f} times the bytes): {', '.join(times)}.\n")
    return "".join(lines)


def passages(rows: list[Row], corpus: Row, size: str) -> str:
    """The table of a corpus, and in what a peer is better than each of ours."""
    head = [size, "CPU s", "wall s", "MB per CPU s", "peak MB", "found across", "within", "edited"]
    body = [_failed(row) or [*_costs(row, corpus), *(f"{share(part / whole)} of {whole:,}" if whole else ""
                                                    for part, whole in row["found"].values())] for row in rows]
    said = [(row["tool"], "; ".join(better(row, rows, COST + FOUND)))
            for row in rows if row["package"] == OURS and "failed" not in row]
    lines = [f"**A peer is better than {tool} in:** {what}." for tool, what in said if what]
    return f"{table(head, body)}\n{' '.join(lines) or 'No peer is better in any of these.'}\n"


def scans(rows: list[Row], corpus: Row, size: str) -> str:
    head = [size, "CPU s", "wall s", "MB per CPU s", "peak MB", "bytes a byte of text"]
    return table(head, (_failed(row) or [*_costs(row, corpus), number(median(row, "peak") / corpus["text_bytes"])]
                        for row in rows))


def extremes(rows: list[Row]) -> str:
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    body, before = [], {}
    for row in sorted(rows, key=lambda row: (kinds.index(row["kind"]), row["unit"], row["pages"])):
        key = row["kind"], row["unit"]
        start = [*key, f"{row['pages']:,}", number(row["bytes"] / 1e6)]
        if "failed" in row:
            body.append([*start, row["failed"]])
            continue
        grown = number(median(row, "cpu") / before[key]) if key in before else ""
        before[key] = median(row, "cpu")
        body.append([*start, number(before[key]), number(median(row, "wall")), number(median(row, "peak") / 1e6), grown])
    return table(["pattern", "unit", "pages", "MB", "CPU s", "wall s", "peak MB", "growth"], body)


def one_page(rows: list[Row]) -> str:
    return table(["command", "CPU s", "wall s", "peak MB"], (
        _failed(row) or [f"`{row['tool']}`", f"{median(row, 'cpu'):.3f}", f"{median(row, 'wall'):.3f}",
                         number(median(row, "peak") / 1e6)] for row in rows))


def limits(rows: list[Row]) -> str:
    return table(["limit", "GB/s"], ([row["name"], number(row["gb_per_s"])] for row in rows))


def kernel(rows: list[Row], reading: float) -> str:
    """Nanoseconds of each function; of those that go over bytes also GB a second, and the share of the rate of reading."""
    return table(["function", "ns", "a", "GB/s", "of memory read"], (
        [f"`{row['name']}`", number(row["ns"]), row["unit"]]
        + ([number(1 / row["ns"]), f"{100 / row['ns'] / reading:.1f} %"] if row["unit"] == "byte" else [])
        for row in rows if row["ns"]))


def headline(result: Row) -> str:
    """Figures for the README: near-duplicate documents of the largest corpus with exact pairs."""
    size, rows = [(size, rows) for size, rows in by_corpus(result["documents"])
                  if "exact_pairs" in result["corpora"][size]][-1]
    ours, peers = rows[0], [row for row in rows if row["package"] != OURS and "failed" not in row]
    recall, precision, _ = (measure.of for measure in QUALITY)
    times = sorted((median(row, "cpu") / median(ours, "cpu"), row["tool"]) for row in peers)
    best = max(recall(row) for row in peers)
    return (f"Near-duplicate documents, {size} of JSON lines: {number(median(ours, 'cpu'))} s of CPU, recall "
            f"{share(recall(ours))}, precision {share(precision(ours))}; {times[0][1]}, the fastest peer, takes "
            f"{number(times[0][0])} times as much, {times[-1][1]} {number(times[-1][0])} times, and the best recall of a "
            f"peer is {share(best)}.")


def _costs(row: Row, corpus: Row) -> list[str]:
    return [row["tool"], number(median(row, "cpu")), number(median(row, "wall")), _rate(row, corpus),
            number(median(row, "peak") / 1e6)]


def _rate(row: Row, corpus: Row) -> str:
    return number(corpus["bytes"] / 1e6 / median(row, "cpu"))


def _failed(row: Row) -> list[str]:
    return [row["tool"], f"failed: {row['failed']}"] if "failed" in row else []


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.page", description=__doc__.split("\n")[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="where the page goes; default: standard output")
    asked = parser.parse_args(arguments)
    result = json.loads(asked.result.read_text(encoding="utf-8"))
    made = page(result)
    if asked.output:
        asked.output.write_text(made, encoding="utf-8")
        print(f"For the README:\n{headline(result)}")
    else:
        sys.stdout.write(made)


if __name__ == "__main__":
    main()
