"""A picture, files and a voice message go from Ana to Bo."""

import array
import filecmp
import os
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from PIL import Image, ImageDraw

from tests.harness.speaking import RATE, strength, tone
from tests.tour.accessibility import Thing
from tests.tour.window import Window

SKY, SEA, SAND = "#7FC8F8", "#1B6CA8", "#F2D16B"
PICTURE, CAPTION = "IMG 0815.png", "The sea in August"
FILE, FILE_BYTES = "Homework 报告.bin", 10 * 10**6
LARGE, LARGE_BYTES = "Recording of the lecture.bin", 500 * 10**6
_BLOCK_BYTES = 10**6
MELODY = (523.25, 659.25, 783.99)
"""Frequencies in Hz of the notes that are sung: c, e, g."""
NOTE_SECONDS = 0.5
_PIECE = RATE // 50
HEARD_PART = 0.6
"""So much of each note at least."""
LONGEST_SECONDS, SILENT_SECONDS = 20.0, 1.0
_LOUD, _CLEARLY = 1_000, 0.5


def send_a_picture(ana: Window, bo: Window) -> None:
    picture = Image.new("RGB", (900, 600), SKY)
    drawing = ImageDraw.Draw(picture)
    drawing.rectangle((0, 260, 900, 600), SEA)
    drawing.rectangle((0, 430, 900, 600), SAND)
    picture.save(ana.home / PICTURE)
    _attach(ana, PICTURE)
    ana.fill("Message", CAPTION)
    ana.press("Return")
    row = bo.see("row", f"Picture, {PICTURE}")
    assert CAPTION in row.name, f"{row.name!r} has no caption"
    assert bo.shows(row, SKY, SEA, SAND), "the picture is not in its bubble"


def send_a_file(ana: Window, bo: Window) -> None:
    _fill(ana.home / FILE, FILE_BYTES)
    _attach(ana, FILE)
    ana.press("Return")
    _download(bo, FILE, "10.0 MB")
    ana.see("row", re.compile(f"{FILE}.*Bo has it"))
    _assert_same(ana, bo, FILE)


def pause_a_large_file(ana: Window, bo: Window) -> None:
    _fill(ana.home / LARGE, LARGE_BYTES)
    _attach(ana, LARGE)
    ana.press("Return")
    row = _download(bo, LARGE, "500.0 MB")
    bo.watch(row, r"Downloading [1-9]\d?\s%")
    bo.press("Return")
    bo.watch(row, r"Paused [1-9]\d?\s%")
    ana.see("row", re.compile(rf"{LARGE}.*Bo: [1-9]\d?\s%"))


def go_on_with_it(ana: Window, bo: Window) -> None:
    bo.press("Return")
    ana.see("row", re.compile(f"{LARGE}.*Bo has it"))
    _assert_same(ana, bo, LARGE)
    for file in (ana.home / LARGE, *bo.downloads.rglob(LARGE)):
        file.unlink()


def record_a_voice_message(ana: Window, bo: Window) -> None:
    ana.click("button", "Record a voice message")
    ana.see("button", "Stop and listen")
    ana.see("label", re.compile(r"^0:0[1-9]$"))
    ana.say(sum((tone(note, NOTE_SECONDS) for note in MELODY), start=array.array("h")))
    ana.click("button", "Stop and listen")
    ana.see("button", "Listen (Space)")
    bo.see("row", FILE)


def hear_it(ana: Window, bo: Window) -> None:
    ana.press("Return")
    here = re.compile(r"^Ana, .*: Voice message, 0:0\d(, new)?$")
    bo.pick(here)
    listener = bo.listen(LONGEST_SECONDS)
    bo.press("Return")
    heard = _notes(listener.heard_until_silence(SILENT_SECONDS))
    least = HEARD_PART * NOTE_SECONDS * RATE / _PIECE
    assert all(len(heard[note]) > least for note in MELODY), f"heard only {heard}"
    middles = [median(heard[note]) for note in MELODY]
    assert middles == sorted(middles), f"heard in another order: {heard}"


def _fill(file: Path, size: int) -> None:
    """Make a file of so many bytes, no two parts of which are the same."""
    with file.open("wb") as stream:
        for _ in range(size // _BLOCK_BYTES):
            stream.write(os.urandom(_BLOCK_BYTES))


def _attach(window: Window, name: str) -> None:
    """Choose a file in the dialog."""
    window.choose("Attach", "Down", "Return")
    window.click("cell", name, exactly=True)
    window.click("button", "Open")
    window.see("button", f"Remove {name}")
    window.has_focus("Message")


def _download(window: Window, name: str, size: str) -> Thing:
    row = window.pick(f"{name}, {size}, Not downloaded")
    window.press("Return")
    return row


def _assert_same(sender: Window, receiver: Window, name: str) -> None:
    (received,) = receiver.downloads.rglob(name)
    assert filecmp.cmp(sender.home / name, received, shallow=False), f"{name!r} is not the same"


def _notes(sound: Sequence[int]) -> dict[float, list[int]]:
    """Return in which pieces of 20 ms each note is heard."""
    pieces = [sound[at : at + _PIECE] for at in range(0, len(sound) - _PIECE, _PIECE)]
    return {
        note: [at for at, piece in enumerate(pieces) if max(piece) > _LOUD and strength(piece, note) > _CLEARLY]
        for note in MELODY
    }
