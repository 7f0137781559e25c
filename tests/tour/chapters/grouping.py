"""A group of three: nobody keeps it for them, and whoever was away gets it all from whoever is there."""

import re

from tests.harness.processes import PASSWORD
from tests.tour.window import Window

GROUP = "Lab 3"
GREETINGS = {"Ana": "We meet on Friday", "Bo": "Friday is fine", "Chen 陈": "星期五可以"}
ANSWER, SLIP, CORRECTED = "At three?", "Satrudya", "We meet on Thursday"
SOON_SECONDS = 10.0
"""The comparison that would make up for a word that was not sent at once may come later than this."""
WHILE_AWAY = ("Chen, bring the cables", "and the soldering iron 🔧")


def make_a_group(ana: Window, bo: Window, chen: Window) -> None:
    ana.click("button", "New group")
    ana.fill("Name", GROUP)
    ana.fill("Search contacts", "bo")
    ana.press("Return")  # ticks who was found
    ana.see("label", "1 of ")
    ana.click("row", "Chen 陈, chen, online")
    ana.see("label", "2 of ")
    ana.click("button", "Create group")
    for window in (ana, bo, chen):
        window.click("row", f"{GROUP}, group")
        window.see("label", "3 members, 3 online")


def all_write(ana: Window, bo: Window, chen: Window) -> None:
    windows = (ana, bo, chen)
    for writer, (name, text) in zip(windows, GREETINGS.items(), strict=True):
        writer.write(text)
        for reader in windows:
            row = reader.see("row", f": {text}")
            author = "You" if reader is writer else name
            assert row.name.startswith(f"{author}, "), f"{row.name!r} is not {author}'s"
    ana.see("row", f": {GREETINGS['Ana']}, read")


def answer_and_correct(ana: Window, bo: Window, chen: Window) -> None:
    chen.write(SLIP)
    chen.choose_for(f": {SLIP}", "Up", "Return")  # the last line: delete for everyone
    bo.choose_for(f": {GREETINGS['Ana']}", "Return")  # the first: reply
    bo.write(ANSWER)
    ana.see("row", f": answers Ana: {GREETINGS['Ana']}, {ANSWER}")
    chen.choose_for(f": {GREETINGS['Bo']}", "Down", "Right", "Return")  # react, with the first
    bo.see("row", f": {GREETINGS['Bo']}, reactions: 👍 1")
    ana.click("text", "Message")
    ana.has_focus("Message")
    ana.press("Up")  # in an empty composer
    ana.fill("Message", CORRECTED)
    ana.press("Return")
    for window in (bo, chen):
        window.see("row", f": {CORRECTED}, edited")
    ana.see("row", re.compile("^Chen 陈, [0-9:]+: This message was deleted"))


def chen_is_killed(ana: Window, bo: Window, chen: Window) -> None:
    chen.kill()
    for window in (ana, bo):
        window.see("label", "3 members, 2 online")


def write_to_who_is_away(ana: Window, bo: Window, chen: Window) -> None:
    for text in WHILE_AWAY:
        ana.write(text)
        bo.see("row", f": {text}")


def leave_the_group(ana: Window, bo: Window, chen: Window) -> None:
    ana.click("button", "Members", exactly=True)
    ana.click("button", "Leave group")
    ana.see("label", "Leave this group?")
    ana.click("button", "Leave", exactly=True)
    bo.see("label", "2 members", wait=SOON_SECONDS)


def chen_returns(bo: Window, chen: Window) -> None:
    chen.open()
    chen.fill("Password", PASSWORD)
    chen.click("button", "Sign in")
    chen.click("row", f"{GROUP}, group")
    chen.see("row", ": Ana left")
    rows = [row.split(": ", 1)[1] for row in chen.rows_of("Messages")]
    everything = (
        f"{CORRECTED}, edited",
        f"{GREETINGS['Bo']}, reactions: 👍 1",
        GREETINGS["Chen 陈"],
        "You deleted this message",
        f"answers Ana: {CORRECTED}, {ANSWER}",
        *WHILE_AWAY,
        "Ana left",
    )
    # What is above these may have no room.
    are_there = [row.startswith(text) for row, text in zip(rows[-len(everything) :], everything, strict=True)]
    assert all(are_there), f"{rows} is not {everything}"
    for window in (bo, chen):
        window.see("label", "2 members, 2 online")
