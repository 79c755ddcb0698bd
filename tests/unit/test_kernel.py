"""Which kernel is used, what it says where it is slow, and that stub, twin and compiled module agree."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
import textwrap
from array import array
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dedup.kernel import kernel, reference
from dedup.minhash import MinHasher
from dedup.shingles import Sets, Shingler

try:
    from dedup.kernel import _kernel
except ImportError:
    modules: list[Any] = [reference]
else:
    modules = [_kernel, reference]

ROOT = Path(__file__).parent.parent.parent


def askew(array: np.ndarray) -> np.ndarray:
    """The same elements at an odd place."""
    room = np.zeros(array.nbytes + 8, np.uint8)
    at = 1 - room.ctypes.data % 2
    room[at:at + array.nbytes] = array.view(np.uint8)
    return room[at:at + array.nbytes].view(array.dtype)


def stub_functions() -> dict[str, list[str]]:
    tree = ast.parse((ROOT / "dedup/kernel/_kernel.pyi").read_text())
    return {f.name: [a.arg for a in f.args.args] for f in tree.body if isinstance(f, ast.FunctionDef)}


def twin_functions() -> dict[str, list[str]]:
    found = {name: getattr(reference, name) for name in reference.__all__}
    return {n: list(inspect.signature(f).parameters) for n, f in found.items() if inspect.isfunction(f)}


def test_the_stub_lists_what_the_twin_has() -> None:
    assert stub_functions() == twin_functions()


def test_the_stub_lists_what_is_compiled() -> None:
    native = pytest.importorskip("dedup.kernel._kernel", reason="the kernel is not built")
    compiled = {name: value for name, value in vars(native).items() if not name.startswith("_") and callable(value)}
    assert sorted(compiled) == sorted(stub_functions())
    for name, function in compiled.items():
        signature = function.__doc__.split("\n")[0]  # nanobind writes it there
        assert re.findall(r"(\w+): ", signature) == stub_functions()[name]


def test_arrays_of_the_wrong_kind_are_explained() -> None:
    text, row = np.zeros(4, np.uint8), np.zeros(1, np.int64)
    with pytest.raises(TypeError, match="tokenise: start must be of int64, not int32"):
        kernel.tokenise(text, row.astype(np.int32), row, 0)
    with pytest.raises(TypeError, match="tokenise: text must be a NumPy array of uint8, not str"):
        kernel.tokenise("abc", row, row, 0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="code_points: text must be contiguous"):
        kernel.code_points(text[::2], row)


def test_arrays_of_numpy_and_of_others_are_taken_as_they_are() -> None:
    native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the kernel is not built")
    keys = np.array([3, 1, 2], np.uint64)
    fixed, apart = keys.copy(), askew(keys)
    fixed.flags.writeable = False
    others = memoryview(keys), array("Q", [3, 1, 2]), memoryview(apart)
    for taken in (keys, fixed, apart, keys.astype(np.ulonglong), keys.view(np.recarray), *others):
        assert native.stable_order(taken).tolist() == [1, 2, 0]
    for refused in (keys[::2], keys.astype(">u8"), keys.astype(np.int64), keys.astype(float), keys.reshape(1, 3), keys > 1,
                    keys.view("M8[s]"), keys[0], [3, 1, 2], None):
        with pytest.raises(TypeError, match="incompatible"):
            native.stable_order(refused)


@pytest.mark.parametrize("module", modules)
def test_arrays_at_odd_places_are_read_as_others(module: Any) -> None:
    """What the sanitisers see: nothing is read where it does not lie as the machine wants it."""
    table, place = np.array([1, 3], np.uint64), np.array([0, 2, 5], np.int64)
    text = np.frombuffer(b"abcde", np.uint8)
    for at in (np.copy, askew):
        assert module.slots_seen_twice([at(table), at(table)]).tolist() == [2**32 + 1]
        cells = (1, b"<", b">", b"", text, at(place[:-1].copy()), at(place[1:].copy()))
        assert module.write_rows([cells, cells])[0].tobytes() == b"<ab><ab><cde><cde>"
    sets = Shingler(size=1).sets(["one two three", "two three four"])
    moved = Sets(askew(sets.values), askew(sets.first))
    assert MinHasher().sketch(moved).minima.tolist() == MinHasher().sketch(sets).minima.tolist()
    assert moved.jaccard(askew(np.array([0])), askew(np.array([1]))).tolist() == [0.5]


@pytest.mark.parametrize("module", modules)
def test_arrays_that_are_written_to_must_be_aligned(module: Any) -> None:
    row, words, none = np.zeros(1, np.int64), np.zeros(2, np.uint64), np.zeros(0, np.uint32)
    for at in (np.copy, askew):
        with pytest.raises(ValueError, match="table must be aligned") if at is askew else nullcontext():
            module.mark_seeds(none, row, none.astype(np.uint8), none.astype(np.uint8), 0, at(words))
        with pytest.raises(ValueError, match="values must be aligned") if at is askew else nullcontext():
            module.short_sets(np.frombuffer(b"a", np.uint8), row, row + 1, 0, 1, at(np.zeros(1, np.uint32)))
        with pytest.raises(ValueError, match="homes must be aligned") if at is askew else nullcontext():
            module.bucket_pairs(none[:0], none, np.zeros(2, np.int64), np.zeros(4, np.uint64), 0.5, 9, 9,
                                at(np.zeros(1, np.uint32)))


@pytest.mark.parametrize("count", [0, 1, 128, 129, 5000])
def test_arrays_that_come_back_are_ones_own(count: int) -> None:
    made = kernel.stable_order(np.zeros(count, np.uint64))
    assert (made.dtype, made.flags.writeable, made.flags.c_contiguous) == (np.int64, True, True)
    other = kernel.stable_order(np.zeros(count, np.uint64))
    made += 1
    assert other.tolist() == list(range(count))
    assert made.tolist() == list(range(1, count + 1))


def test_the_twin_is_loaded_for_an_explanation_only() -> None:
    pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the kernel is not built")
    done = run("""
        import sys
        import numpy as np
        from dedup.kernel import kernel
        row = np.zeros(1, np.int64)
        kernel.tokenise(np.zeros(4, np.uint8), row, row)
        print("dedup.kernel.reference" in sys.modules)
        try:
            kernel.tokenise(np.zeros(4), row, end=row)
        except TypeError as error:
            print(error)
        """, "native")
    assert done.stdout == "False\ntokenise: text must be of uint8, not float64\n"


def run(code: str, wish: str | None) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "DEDUP_KERNEL"}
    if wish is not None:
        environment["DEDUP_KERNEL"] = wish
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, env=environment, capture_output=True, text=True
    )


NO_KERNEL = """
    import sys
    sys.modules["dedup.kernel._kernel"] = None
    from dedup.kernel import kernel
    print(kernel.name)
"""


def test_the_twin_can_be_asked_for_and_says_nothing() -> None:
    done = run("from dedup.kernel import kernel; print(kernel.name)", "reference")
    assert (done.stdout, done.stderr) == ("reference\n", "")


def test_without_the_compiled_kernel_the_twin_is_used_and_says_so_once() -> None:
    done = run(NO_KERNEL, None)
    assert done.stdout == "reference\n"
    assert done.stderr.count("compiled kernel is not there") == 1
    assert "g++" in done.stderr


def test_a_kernel_that_is_asked_for_must_be_there() -> None:
    assert "OptionError: DEDUP_KERNEL: the compiled kernel cannot be loaded" in run(NO_KERNEL, "native").stderr
    assert "may be native or reference" in run("import dedup.kernel", "fast").stderr
    done = subprocess.run([sys.executable, "-m", "dedup", "scan", "README.md"], cwd=ROOT,
                          env=os.environ | {"DEDUP_KERNEL": "fast"}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "dedup: DEDUP_KERNEL: 'fast' is no kernel. It may be native or reference.\n")


@pytest.mark.parametrize(("runs", "said"), [
    (((0, 5), (0, 0), (2, 0)), "must ascend"), (((5, 0), (0, 0), (2, 2)), "must ascend"),
    (((0, 3), (0, 4), (2, 2)), "must ascend"),
    (((0, 9), (0, 3), (2, 2)), "has a leader that is none"), (((0, 98), (0, 0), (5, 5)), "behind the last block"),
    (((0, 9), (0, 0), (2,)), "equally long"),
])
def test_runs_that_cannot_be_are_refused(runs: tuple[tuple[int, ...], ...], said: str) -> None:
    native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the kernel is not built")
    columns, blocks = [np.array(column, np.uint32) for column in runs], np.array([0, 50, 100])
    with pytest.raises(ValueError, match=said):
        native.exact_repeats(*columns, 3, 4, np.empty(0, np.uint8), 1, blocks, blocks[::2].copy())


def test_classes_are_arrays_of_one_type() -> None:
    native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the kernel is not built")
    with pytest.raises(TypeError, match="uint64"):
        native.class_runs([np.array([1.0])], 0, 9)
    with pytest.raises(ValueError, match="begin and end"):
        native.class_runs([], 3, 2)


def test_no_two_headers_define_a_class_of_one_name():
    """The linker would take either for both: undefined, and seen only where nothing is inlined."""
    defined: dict[tuple[str, str], list[str]] = {}
    for path in sorted((Path(__file__).parents[2] / "dedup" / "kernel").glob("*.hpp")):
        namespace = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"namespace (\w[\w:]*) \{", line):
                namespace = found[1]
            elif found := re.match(r"(?:enum )?(?:struct|class) (\w+)[^;<]*\{", line):
                defined.setdefault((namespace, found[1]), []).append(path.name)
    assert len(defined) > 50
    assert {name: files for name, files in defined.items() if len(files) > 1} == {}
