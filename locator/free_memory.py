"""Gives memory that is free back to the system, where the C library does not by itself.

uvloop takes 256 KiB for each TLS connection and touches a tenth of it. glibc hands out such a piece from what others
freed before, all of whose pages are there: without this, connections that come and go make each take it all.
"""

import ctypes
import sys
from collections.abc import Callable


def _find() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none


_malloc_trim = _find()


def give_back_free_memory() -> None:
    """Take two or three milliseconds, on the thread that calls."""
    if _malloc_trim is not None:
        _malloc_trim(0)
