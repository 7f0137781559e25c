"""What happens on the tour: one function a step, each fails if a person would not see what it promises."""

import time
from collections.abc import Callable

from tests.tour.window import Window

PASSWORD = "correct horse"
FOUND_SECONDS = 10.0
ENGLISH, CHINESE, EMOJI = "Hello Bo! Shall we do the homework together?", "好的,图书馆三点见", "👍🎉"
CELEBRATION = "Tomorrow we celebrate 🥳"
SEEN = "This is what I see"
WHILE_AWAY = ["Bo, are you still there?", "I write on, it will wait for you.", "回来就能看到"]
UNFINISHED = "What I meant to say is"
DRAFT_SECONDS = 1.2
"""A draft is kept within a second of the first letter."""
DIGIT_GROUPS = 12
LIGHT_SIDE, DARK_SIDE = "#FFFFFF", "#181D25"
Step = tuple[str, Callable[[Window, Window], None]]


def host(ana: Window, bo: Window) -> None:
    bo.see("button", "Locator: ")
    ana.click("button", "Host one here", exactly=True)
    ana.see("button", "Locator: This computer, ")
    ana.see("label", "hail://")


def find(ana: Window, bo: Window) -> None:
    name = ana.see("button", "· fingerprint ").name
    place = name.removeprefix("Locator: This computer, ")
    try:
        bo.see("button", place, wait=FOUND_SECONDS)
    except AssertionError:
        # Somebody else's locator is on this network, too: then a person chooses, or pastes the link.
        bo.click("button", "Type an address")
        bo.fill("Address or hail:// link", ana.see("label", "hail://").name)


def _fill_in_account(window: Window, user: str, name: str) -> None:
    window.click("button", "Create an account")
    window.fill("Your ID", user)
    window.fill("Display name", name)
    window.fill("Password", PASSWORD)


def mistype_the_password(ana: Window, bo: Window) -> None:
    _fill_in_account(ana, "ana", "Ana")
    ana.fill("Password again", "something else")
    ana.click("button", "Create account")
    ana.see("label", "This is not the same password.")
    bo.see("button", "Sign in")


def create_accounts(ana: Window, bo: Window) -> None:
    ana.fill("Password again", PASSWORD)
    ana.click("button", "Create account")
    ana.see("button", "Add a contact")
    _fill_in_account(bo, "bo", "Bo")
    bo.fill("Password again", PASSWORD)
    bo.click("button", "Create account")
    bo.see("button", "Add a contact")


def ask_somebody_unknown(ana: Window, bo: Window) -> None:
    ana.click("button", "Add a contact")
    ana.fill("ID", "bob")
    ana.fill("Note (optional)", "It is Ana, from class 3")
    ana.click("button", "Send request")
    ana.see("label", "Nobody has this ID.")
    bo.see("label", "No conversations yet")


def ask(ana: Window, bo: Window) -> None:
    ana.fill("ID", "bo")
    ana.click("button", "Send request")
    bo.click("button", "Contact requests, 1 waiting")
    bo.see("button", "Accept")
    bo.see("label", "It is Ana, from class 3")


def accept(ana: Window, bo: Window) -> None:
    bo.click("button", "Accept")
    bo.click("button", "Close")
    bo.click("row", "Ana")
    ana.click("row", "Bo")
    for window in (ana, bo):
        window.see("text", "Message")


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


def compare(ana: Window, bo: Window) -> None:
    numbers = []
    for window in (ana, bo):
        window.choose("About this contact", "Down", "Return")
        window.see("button", "They are the same")
        window.see("label", "Safety number with")
        numbers.append(window.labels(r"\d{5}"))
    assert numbers[0] == numbers[1], f"not the same digits: {numbers}"
    assert len(numbers[0]) == DIGIT_GROUPS
    for window in (ana, bo):
        window.click("button", "They are the same")
        window.see("label", "verified")


def turn_dark(ana: Window, bo: Window) -> None:
    assert bo.turns(LIGHT_SIDE)
    bo.choose("You, Bo", "Down", "Down", "Down", "Right", "Up", "Return")
    assert bo.turns(DARK_SIDE), "it is not dark"


def ana_leaves(ana: Window, bo: Window) -> None:
    ana.choose("You, Ana", "Up", "Return")  # the last line of the menu
    ana.see("label", "This computer hosts the locator")


def nobody_hosts(ana: Window, bo: Window) -> None:
    ana.click("button", "Stop hosting and quit")
    assert ana.has_ended(), "Ana's window did not end well"
    assert ana.hosts_nothing(), "Ana's locator still runs"
    bo.see("label", "offline")


STEPS: list[Step] = [
    ("Ana hosts a locator", host),
    ("Bo finds it", find),
    ("Ana mistypes her new password", mistype_the_password),
    ("both create accounts and sign in", create_accounts),
    ("Ana asks for an ID that nobody has", ask_somebody_unknown),
    ("Ana adds Bo by ID", ask),
    ("Bo accepts", accept),
    ("they write English, 中文 and emoji", talk),
    ("Ana sees that Bo has read", read_marks),
    ("Ana looks for an emoji in English and 中文", choose_an_emoji),
    ("Ana sends a screenshot", take_a_screenshot),
    ("Bo's process is killed", bo_is_killed),
    ("Ana writes on", ana_writes_on),
    ("Bo returns and has all of it", bo_returns),
    ("Bo's lid closes in mid-typing", lid_closes),
    ("Bo starts Hail a second time", start_twice),
    ("they compare their safety number", compare),
    ("Bo turns his window dark", turn_dark),
    ("Ana is asked what becomes of the locator", ana_leaves),
    ("Ana stops hosting and quits", nobody_hosts),
]
