"""A program that records into a folder until the recording ends by itself: one that a test can kill or starve."""

import sys
from pathlib import Path

from peer.events import RecordingChanged
from tests.harness.speaking import Speaker


def main() -> None:
    """Record; the folder is the argument."""
    speaker = Speaker(Path(sys.argv[1]))
    speaker.record(0.2)
    print("records", flush=True)
    event = speaker.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.is_over)
    assert isinstance(event, RecordingChanged)
    print(event.recording.reason, flush=True)
    speaker.close()


if __name__ == "__main__":
    main()
