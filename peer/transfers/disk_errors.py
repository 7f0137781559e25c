"""What the system says about a file, as a code and a sentence that tells what to do."""

import errno

from peer.errors import Refusal, RefusalCode
from peer.safe_paths import safe_name

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def refusal_for(error: OSError, name: str) -> Refusal:
    """Return why a file could not be read for sending, or its copy not be made."""
    name = safe_name(name)
    if error.errno in _FULL:
        return _disk_full()
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return Refusal(RefusalCode.NO_SUCH_FILE, f"{name} is not there any more. Choose it again.")
    return Refusal(RefusalCode.UNREADABLE_FILE, f"{name} cannot be read: {_plain(error)}.")


def refusal_for_writing(error: OSError) -> Refusal:
    """Return why what comes could not be written."""
    if error.errno in _FULL:
        return _disk_full()
    if error.errno in _READ_ONLY:
        return Refusal(RefusalCode.READ_ONLY, "Nothing can be written in that folder. Choose another one, then resume.")
    return Refusal(RefusalCode.REFUSED, f"The file cannot be written: {_plain(error)}. Resume to try again.")


def _disk_full() -> Refusal:
    return Refusal(RefusalCode.DISK_FULL, "The disk is full: free some space, then try again. Nothing was lost.")


def _plain(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
