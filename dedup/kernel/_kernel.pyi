"""Typed stub of the compiled kernel; a test holds its names and signatures equal to reference.py's."""

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

name: str

def code_points(text: U8, positions: I64) -> I64: ...
