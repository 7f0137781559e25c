"""A group of three: nobody keeps it for them, and whoever was away gets it all from whoever is there."""

from tests.harness.processes import PASSWORD
from tests.tour.window import Window

GROUP = "Lab 3"
GREETINGS = {"Ana": "We meet on Friday", "Bo": "Friday is fine", "Chen 陈": "星期五可以"}
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
    bo.see("label", "2 members")


def chen_returns(bo: Window, chen: Window) -> None:
    chen.open()
    chen.fill("Password", PASSWORD)
    chen.click("button", "Sign in")
    chen.click("row", f"{GROUP}, group")
    everything = (*GREETINGS.values(), *WHILE_AWAY)
    for text in everything:
        chen.see("row", f": {text}")
    rows = "\n".join(chen.rows_of("Messages"))
    places = [rows.index(text) for text in everything]
    assert places == sorted(places), f"out of order: {rows}"
    assert all(rows.count(text) == 1 for text in everything), f"a text shows twice: {rows}"
    for window in (bo, chen):
        window.see("label", "2 members, 2 online")
