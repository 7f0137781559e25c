"""Display order that survives wrong clocks."""

from protocol import limits


def stamp_to_write(wall_ms: int, last_shown_ms: int) -> int:
    """Return the stamp for an entry written now: after everything that its author sees above it."""
    return max(wall_ms, min(last_shown_ms, wall_ms + limits.CLOCK_TOLERANCE_MS) + 1)


def display_stamp(stamp_ms: int, arrival_ms: int, previous_in_feed_ms: int) -> int:
    """Return where an entry is shown: by its stamp, never later than it came, never before its feed's last.

    All in milliseconds since 1970 by the local clock. A clock ahead of ours is cut at the arrival, so it drags
    nobody; within one feed the numbers always win.
    """
    return max(min(stamp_ms, arrival_ms), previous_in_feed_ms + 1)
