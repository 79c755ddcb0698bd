"""What is otherwise on Windows and macOS, as far as it can be tried here."""

import os
import stat
from pathlib import Path

import pytest

from dedup.readers import worker
from dedup.report.json import replaced_file, set_mode


def test_where_open_files_take_no_permissions_none_are_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows before Python 3.13 refuses os.chmod of an open file."""
    for known in (True, False):
        if not known:
            monkeypatch.setattr(os, "supports_fd", os.supports_fd - {os.chmod})
        with replaced_file(tmp_path / f"{known}.txt") as file:
            set_mode(file, 0o600)
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "True.txt").stat().st_mode) == 0o600
    assert (tmp_path / "False.txt").exists()


@pytest.mark.parametrize("error", [ValueError("current limit exceeds maximum limit"), OSError(22, "Invalid argument")])
def test_a_worker_starts_where_memory_cannot_be_bounded(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS knows the limit of the address space and refuses to set it."""
    resource = pytest.importorskip("resource")
    asked = []

    def refused(which: int, limits: tuple[int, int]) -> None:
        asked.append(which)
        if which == resource.RLIMIT_AS:
            raise error

    monkeypatch.setattr(resource, "setrlimit", refused)
    worker.limit_memory()
    assert resource.RLIMIT_AS in asked
