"""What a server process has cost so far, as the system accounts for it (Linux, /proc)."""

import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def processor_seconds(process: int) -> float:
    """Return the seconds that all threads of a process computed, in its own code and in the system's for it."""
    # The name in brackets may hold spaces; utime and stime are the 14th and 15th fields (proc(5)).
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICK


def resident_bytes(process: int) -> int:
    """Return the memory that a process holds now."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE


def peak_bytes(process: int) -> int:
    """Return the most memory that a process held since it began, or since `clear_refs` was written."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {process} tells no peak")
