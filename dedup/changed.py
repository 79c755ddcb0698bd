"""Which files were changed, as git knows it: since a commit, in what is committed, staged, not staged, or new."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dedup.errors import OptionError

WHERE = "changed_since"


def changed_files(ref: str, folder: Path) -> frozenset[Path]:
    """The files whose content differs from that in the commit where this branch left `ref`; a file only renamed does not.

    Args:
        ref: A branch, tag or commit.
        folder: Any folder of the working tree.

    Returns:
        Their paths as ``located`` writes them.

    Raises:
        OptionError: There is no git, the folder is in no repository, or it has no such commit.
    """
    top = top_of(folder)
    if ref == "HEAD" and not _has_commits(folder):  # of a new repository every file is new
        every = _git(top, "ls-files", "--cached", "--others", "--exclude-standard", "-z", failed="git cannot list files")
        return frozenset(located(top / name) for name in filter(None, every.split("\0")))
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}",
                  failed=f"{ref!r} is no commit of this repository").strip()
    try:
        base = _git(folder, "merge-base", commit, "HEAD", failed="").strip()
    except OptionError:  # no common history: everything since is what differs
        base = commit
    content = ("-c", "core.fileMode=false", "-c", "diff.autoRefreshIndex=true")  # no mode, no time of a file
    listed = _git(top, *content, "diff", "--raw", "--no-abbrev", "-z", "--find-renames", base, "--",
                  failed="git cannot compare with it")
    fresh = _git(top, "ls-files", "--others", "--exclude-standard", "-z", failed="git cannot list new files")
    names = [*_changed(listed.split("\0")), *filter(None, fresh.split("\0"))]
    return frozenset(located(top / name) for name in names)


def located(path: Path) -> Path:
    """A path, absolute, in the real folder; a link stays one, as for git: that it is new does not change its target."""
    return path.parent.resolve() / path.name


def _has_commits(folder: Path) -> bool:
    try:
        _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", failed="")
    except OptionError:
        return False
    return True


def top_of(folder: Path) -> Path:
    """The folder of the working tree that a folder is in.

    Raises:
        OptionError: It is in none.
    """
    return Path(_git(folder, "rev-parse", "--show-toplevel", failed="is in no git repository").rstrip("\n")).resolve()


def is_foreign(path: Path, top: Path) -> bool:
    """Whether a file is not in a working tree, or in another one inside it, such as that of a submodule."""
    return not path.is_relative_to(top) or any((above / ".git").exists() for above in path.parents
                                               if above != top and above.is_relative_to(top))


def _changed(fields: list[str]) -> list[str]:
    """Names of files that have other content, out of what ``git diff --raw -z`` says: of some only name or mode differs."""
    out, at = [], 0
    while at < len(fields) and fields[at]:
        _, _, before, after, status = fields[at].split(" ")
        renamed = status[0] in "RC"
        name = fields[at + 1 + renamed]
        at += 2 + renamed
        unknown = not after.strip("0")  # git did not hash the file of the working tree, or there is none
        if status[0] != "D" and not (status == "R100" if unknown else status[0] in "RM" and before == after):
            out.append(name)
    return out


def _git(folder: Path, *arguments: str, failed: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False,
                              encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise OptionError(f"git cannot be started ({error.strerror or error})", WHERE, "Install git.") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        about = said[-1] if said and "not a git repository" not in said[-1] else ""
        raise OptionError(f"{folder if failed.startswith('is in') else ''} {failed}".strip()
                          + (f" ({about})" if about else ""), WHERE,
                          "Name a branch, tag or commit; in a shallow clone, fetch it first (fetch-depth: 0)."
                          if "commit" in failed else "")
    return done.stdout
