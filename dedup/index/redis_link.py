"""The way to a Redis server: addresses, the client, and its errors in words of ours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dedup.errors import (
    BusyIndexError,
    DamagedIndexError,
    InputError,
    MissingExtraError,
    OptionError,
    OutputError,
    how_to_install,
)

SCHEMES = ("redis://", "rediss://")
NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
FORM = "Write redis://host:port/db?name=NAME."
CONNECT_SECONDS, ANSWER_SECONDS = 5, 60
NO_ROOM = ("OOM", "READONLY", "MISCONF", "NOPERM", "NOREPLICAS")  # what a server says that may not or cannot write


@dataclass(frozen=True, slots=True)
class Address:
    """Where an index lies in Redis.

    Attributes:
        name: Of the index: several may lie in one database.
    """

    host: str
    port: int = 6379
    db: int = 0
    name: str = "dedup"
    username: str | None = None
    password: str | None = None
    ssl: bool = False

    @property
    def server(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    @property
    def shown(self) -> str:
        """The address for messages: without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'s' * self.ssl}://{host}:{self.port}/{self.db}?name={self.name}"

    @property
    def base(self) -> bytes:
        """What all its keys begin with."""
        return f"dedup:{self.name}".encode()


def is_address(place: object) -> bool:
    """Whether a place is an index in Redis."""
    return isinstance(place, str) and place.lower().startswith(SCHEMES)


def shown(place: object) -> str:
    """A place for messages: of an address without user and password."""
    return read_address(place).shown if isinstance(place, str) and is_address(place) else str(place)


def read_address(place: str) -> Address:
    """Take an address apart.

    Raises:
        OptionError: It is none. The message never holds the password.
    """
    try:
        parts = urlsplit(place)
    except ValueError:
        raise OptionError("is no address", place.partition("://")[0].lower() + "://", FORM) from None
    scheme, host = parts.scheme, parts.hostname
    try:
        port = parts.port or 6379
    except ValueError:
        raise OptionError("the port is no number", f"{scheme}://{host or ''}", FORM) from None
    if not host:
        raise OptionError("names no host", f"{scheme}://", FORM)
    where = f"{scheme}://{host}:{port}"
    db = parts.path.strip("/") or "0"
    if not db.isdecimal() or not db.isascii():
        raise OptionError(f"the database {db!r} is no number", where, FORM)
    asked = parse_qs(parts.query, keep_blank_values=True)
    if asked.keys() - {"name"} or parts.fragment:
        raise OptionError("takes nothing but name= behind the question mark", where, FORM)
    name = asked.get("name", ["dedup"])[-1]
    if not NAME.fullmatch(name):
        raise OptionError("a name has letters, digits, _, . and -, 100 at most", where, FORM)
    user, password = (unquote(said) if said else None for said in (parts.username, parts.password))
    return Address(host, port, int(db), name, user, password, scheme == "rediss")


def connect(address: Address) -> Any:
    """A client. It connects when it is asked something.

    Raises:
        MissingExtraError: The library is not there.
    """
    try:
        import redis
        from redis.backoff import ExponentialBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise MissingExtraError("an index in Redis needs its client", address.shown,
                                how_to_install("redis", "redis 'datasketch>=2,<3'")) from error
    return redis.Redis(host=address.host, port=address.port, db=address.db, username=address.username,
                       password=address.password, ssl=address.ssl, socket_connect_timeout=CONNECT_SECONDS,
                       socket_timeout=ANSWER_SECONDS, retry=Retry(ExponentialBackoff(cap=0.4, base=0.05), 3))


@contextlib.contextmanager
def told_errors(address: Address) -> Iterator[None]:
    """What the client raises, as errors of ours that name the index and the server."""
    from redis import exceptions

    try:
        yield
    except DamagedIndexError as error:
        raise (error if error.where else DamagedIndexError(error.what, address.shown, error.mend)) from error.__cause__
    except exceptions.AuthenticationError as error:
        raise InputError(f"Redis at {address.server} wants a user and password, or others", address.shown,
                         "Write redis://user:password@host:port/db?name=NAME.") from error
    except exceptions.LockError as error:
        raise BusyIndexError("another process took over while this one stood still", address.shown,
                             "What was not acknowledged is not in it; do it again.") from error
    except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
        raise InputError(f"no Redis answers at {address.server} ({_reason(error)})", address.shown,
                         "See that it runs there, and lets this machine in.") from error
    except exceptions.RedisError as error:
        said = _reason(error)
        if said.startswith("WRONGTYPE"):
            raise DamagedIndexError("a key of the index holds something else", address.shown) from error
        if said.startswith(NO_ROOM) or "maxmemory" in said:
            raise OutputError(f"Redis at {address.server} does not write ({said})", address.shown,
                              "What was not acknowledged is not in it; all else is as it was.") from error
        raise InputError(f"Redis at {address.server}: {said}", address.shown) from error


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
