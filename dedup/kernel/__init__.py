"""The kernel: compiled loops, or their plain Python twin where there is no compiled module.

``kernel`` is the one in use; ``kernel.name`` is "native" or "reference". The environment variable ``DEDUP_KERNEL``
chooses: "reference" (the twin), "native" (an error where it is not built); else the compiled one if it is there.
Arrays are checked by the annotations of the twin, so that the loops need not: those of the twin before each call; the
compiled functions refuse what they cannot take, and why is said with the help of the twin, which is not loaded before.
"""

from __future__ import annotations

import functools
import os
import typing
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np  # loaded where an array is checked: the process that parses pages needs none

__all__ = ["kernel"]

SLOW_KERNEL = (
    "the compiled kernel is not there; its plain Python twin (same results, much slower) is used. For the fast one "
    "install a C++20 compiler and the Python headers (Debian, Ubuntu: g++ python3-dev), then install dedup again "
    "(in a checkout: make kernel)"
)


class _Kernel:
    """Functions of one implementation behind checks of their arguments, made when first asked for."""

    def __init__(self, module: ModuleType, name: str) -> None:
        self._module = module
        self.name = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        if callable(value):
            value = explained(name, value) if self.name == "native" else checked(value)
        self.__dict__[name] = value
        return value


def checked(twin: Callable[..., Any]) -> Callable[..., Any]:
    """A twin behind a check of its arrays."""
    check = array_check(twin)

    @functools.wraps(twin)
    def call(*args: Any, **kwargs: Any) -> Any:
        check(args, kwargs)
        return twin(*args, **kwargs)

    return call


def explained(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A compiled function; where it refuses an array, the error says which one and why."""
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError:
            from dedup.kernel import reference

            array_check(getattr(reference, name))(args, kwargs)
            raise

    return call


def array_check(twin: Callable[..., Any]) -> Callable[[tuple[Any, ...], Mapping[str, Any]], None]:
    """A check of arguments against the annotations of a twin; it raises a TypeError."""
    import inspect

    hints = typing.get_type_hints(twin)
    names = list(inspect.signature(twin).parameters)
    dtypes = {name: _dtype(hints.get(name)) for name in names}

    def check(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        for name, value in [*zip(names, args, strict=False), *kwargs.items()]:
            _check_array(twin.__name__, name, value, dtypes.get(name))

    return check


def _dtype(hint: Any) -> np.dtype[Any] | None:
    """Element type of an ``NDArray[...]`` annotation, or ``None`` for anything else."""
    import numpy as np
    import numpy.typing as npt

    if typing.get_origin(hint) not in (np.ndarray, typing.get_origin(npt.NDArray[np.uint8])):  # NumPy 2.5 named it
        return None
    last = typing.get_args(hint)[-1]
    dtype: np.dtype[Any] = np.dtype((typing.get_args(last) or (last,))[0])
    return dtype


def _check_array(function: str, name: str, value: Any, dtype: np.dtype[Any] | None) -> None:
    if dtype is None:
        return
    import numpy as np

    if not isinstance(value, np.ndarray):
        raise TypeError(f"{function}: {name} must be a NumPy array of {dtype}, not {type(value).__name__}")
    if value.dtype != dtype:
        raise TypeError(f"{function}: {name} must be of {dtype}, not {value.dtype}")
    if not value.flags.c_contiguous:
        raise TypeError(f"{function}: {name} must be contiguous; np.ascontiguousarray() makes it so")


def _choose(wish: str) -> _Kernel:
    from dedup.errors import OptionError

    if wish not in ("", "native", "reference"):
        raise OptionError(f"{wish!r} is no kernel", "DEDUP_KERNEL", "It may be native or reference.")
    if wish != "reference":
        try:
            from dedup.kernel import _kernel
        except ImportError as error:
            if wish == "native":
                raise OptionError(f"the compiled kernel cannot be loaded ({error})", "DEDUP_KERNEL") from error
            import logging  # here: the process that parses pages starts without

            logging.getLogger(__name__).warning(SLOW_KERNEL)
        else:
            return _Kernel(_kernel, "native")
    from dedup.kernel import reference

    return _Kernel(reference, "reference")


if TYPE_CHECKING:
    from dedup.kernel import reference as kernel
else:
    kernel = _choose(os.environ.get("DEDUP_KERNEL", ""))
