"""Files at addresses: whatever fsspec opens (``s3://``, ``gs://``, ``https://``, ``zip://...::``, ...)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from dedup.errors import InputError, MissingExtraError, how_to_install
from dedup.readers.files import Found, matcher, open_regular
from dedup.readers.notes import Notes

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://.")


def is_address(place: object) -> bool:
    """Whether a place is an address and no path.

    >>> is_address("s3://bucket/pages.jsonl"), is_address("C:\\\\pages"), is_address("pages/new.txt")
    (True, False, False)
    """
    return isinstance(place, str) and _ADDRESS.match(place) is not None


def find_remote(addresses: Sequence[str], include: Sequence[str], exclude: Sequence[str], notes: Notes) -> Iterator[Found]:
    """The files at some addresses, each once, in the order of their places.

    A pattern (``s3://bucket/*.jsonl``) stands for all that match, a folder for all below it.
    """
    wanted, unwanted = matcher(include), matcher(exclude)
    seen = set[str]()
    for address in sorted(set(addresses)):
        for found in _under(address):
            if found.place in seen:
                notes.skip("named twice", found.place)
                continue
            seen.add(found.place)
            if (wanted is None or wanted.match_file(found.name)) and not (unwanted and unwanted.match_file(found.name)):
                yield found


def check_remote(address: str) -> None:
    """Refuse what is not there, or cannot be reached.

    Raises:
        InputError: There is nothing, or nobody knows how to open it.
        MissingExtraError: fsspec, or what it needs for such an address, is not installed.
    """
    if next(_under(address), None) is None:
        raise InputError("no such file or folder", address)


def _under(address: str) -> Iterator[Found]:
    """Files of one address."""
    files, root = _listed(address)
    chain = "".join(f"::{part}" for part in address.split("::")[1:])  # the archive that it is in
    for file in files:
        name = posixpath.relpath(file.path, root) if root else posixpath.basename(file.path)
        folder = posixpath.basename(root.rstrip("/"))
        yield Found(Path(name), name, file.full_name + chain, folder, _site(address), not root, file)


def _listed(address: str) -> tuple[list[Any], str]:
    """The files of an address, sorted, and the folder that their names are relative to; it is empty for a file alone."""
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtraError(f"reading {address.split('://')[0]}:// needs fsspec",
                                mend=how_to_install("remote", "fsspec")) from error
    try:
        system, path = fsspec.core.url_to_fs(address)
        if any(sign in path for sign in "*?["):
            root = path[:min(path.find(sign) for sign in "*?[" if sign in path)].rpartition("/")[0]
            return sorted(fsspec.open_files(address, "rb"), key=lambda file: str(file.path)), root
        if system.isdir(path) and not system.isfile(path):
            below = sorted(system.find(path))
            return [fsspec.core.OpenFile(system, name, "rb") for name in below], path
        return ([fsspec.core.OpenFile(system, path, "rb")] if system.exists(path) else []), ""
    except ImportError as error:  # a library for this kind of address
        raise MissingExtraError(f"cannot be opened ({error})", address) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"cannot be opened ({_cause(error)})", address) from error


def open_remote(found: Found) -> BinaryIO:
    """The file, to be read from its beginning.

    Raises:
        OSError: It cannot be opened.
    """
    from fsspec.implementations.local import LocalFileSystem

    file = found.remote
    if isinstance(file.fs, LocalFileSystem):  # a FIFO of this machine would be waited for
        return open_regular(Path(file.path))
    return cast(BinaryIO, file.fs.open(file.path, "rb"))


def _site(address: str) -> str:
    """What counts as one site for pages of an address: its host or bucket."""
    return address.split("://", 1)[1].split("/", 1)[0]


def _cause(error: Exception) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
