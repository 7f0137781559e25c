"""What becomes of messages when a program ends in the middle."""

import time

from tests.harness.processes import PASSWORD
from tests.tour.chapters.talking import CHINESE, EMOJI, ENGLISH
from tests.tour.window import Window

WHILE_AWAY = ["Bo, are you still there?", "I write on, it will wait for you.", "回来就能看到"]
UNFINISHED = "What I meant to say is"
DRAFT_SECONDS = 1.2
"""A draft is kept within a second of the first letter."""


def bo_is_killed(ana: Window, bo: Window) -> None:
    bo.kill()
    ana.see("label", "offline")


def ana_writes_on(ana: Window, bo: Window) -> None:
    for text in WHILE_AWAY:
        ana.write(text)
        ana.see("row", text)


def bo_returns(ana: Window, bo: Window) -> None:
    bo.open()
    bo.fill("Password", PASSWORD)
    bo.click("box", "Stay signed in on this device")
    bo.click("button", "Sign in")
    bo.click("row", "Ana")
    for text in (ENGLISH, CHINESE, EMOJI, *WHILE_AWAY):
        bo.see("row", text)
    rows = "\n".join(bo.rows_of("Messages"))
    everything = (ENGLISH, CHINESE, EMOJI, *WHILE_AWAY)
    places = [rows.index(text) for text in everything]
    assert places == sorted(places), f"out of order: {rows}"
    assert all(rows.count(text) == 1 for text in everything), f"a text shows twice: {rows}"
    ana.see("row", f"{WHILE_AWAY[-1]}, read")


def lid_closes(ana: Window, bo: Window) -> None:
    bo.fill("Message", UNFINISHED)
    time.sleep(DRAFT_SECONDS)
    bo.kill()
    bo.open()  # and nobody asks for the password: he stays signed in
    bo.click("row", f"Draft: {UNFINISHED}")
    bo.see("row", ENGLISH)
    assert bo.text_in("Message") == UNFINISHED, "the draft is not what was written"
    ana.see("label", "online")


def start_twice(ana: Window, bo: Window) -> None:
    bo.minimize()
    assert bo.start_again() == 0, "the second start did not end well"
    bo.press("ctrl+a", "BackSpace")
    assert bo.text_in("Message") == "", "the first window did not come forward"
    ana.see("label", "online")
