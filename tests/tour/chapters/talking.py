"""Two people write to each other."""

from tests.tour.window import Window

ENGLISH, CHINESE, EMOJI = "Hello Bo! Shall we do the homework together?", "好的,图书馆三点见", "👍🎉"
CELEBRATION = "Tomorrow we celebrate 🥳"
SEEN = "This is what I see"
LIGHT_SIDE, DARK_SIDE = "#FFFFFF", "#181D25"


def talk(ana: Window, bo: Window) -> None:
    for writer, reader, name, text in ((ana, bo, "Ana", ENGLISH), (bo, ana, "Bo", CHINESE), (ana, bo, "Ana", EMOJI)):
        writer.write(text)
        row = reader.see("row", f": {text}, ")
        assert row.name.startswith(f"{name}, "), f"{row.name!r} is not {name}'s"


def read_marks(ana: Window, bo: Window) -> None:
    bo.click("text", "Message")
    ana.see("row", f": {EMOJI}, read")


def choose_an_emoji(ana: Window, bo: Window) -> None:
    ana.fill("Message", "Tomorrow we celebrate ")
    ana.press("ctrl+period")
    ana.type("celebrate")
    ana.see("row", "party popper")
    ana.fill("Search emoji", "庆祝")
    ana.see("label", "partying face")
    ana.press("Return")
    assert ana.text_in("Message") == CELEBRATION, "the emoji is not where the cursor was"
    ana.press("Return")
    bo.see("row", f": {CELEBRATION}, ")


def take_a_screenshot(ana: Window, bo: Window) -> None:
    ana.click("button", "Screenshot")
    ana.see("button", "Whole screen")
    ana.press("Right")  # the middle of the screen
    ana.see("button", "Take this")
    ana.press("Return")
    ana.see("button", "Remove Picture")
    ana.fill("Message", SEEN)
    ana.press("Return")
    row = bo.see("row", SEEN).name
    assert "Picture" in row, f"{row!r} is no picture"


def turn_dark(ana: Window, bo: Window) -> None:
    assert bo.turns(LIGHT_SIDE)
    bo.choose("You, Bo", "Down", "Down", "Down", "Return")
    bo.click("box to choose in", "Like the system")
    bo.press("End", "Return")
    assert bo.turns(DARK_SIDE), "it is not dark"
    bo.click("button", "Close")
