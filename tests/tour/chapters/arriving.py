"""A locator, and accounts at it."""

import re

from tests.harness.processes import PASSWORD
from tests.tour.window import Window

FOUND_SECONDS = 10.0


def open_hail(ana: Window, bo: Window) -> None:
    for window in (ana, bo):
        window.open()
        window.see("label", "Welcome")


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


def join(ana: Window, chen: Window) -> None:
    ana.choose("You, Ana", "Down", "Down", "Return")
    ana.see("label", "Copied: the link")
    chen.open()
    chen.see("button", re.compile("^Locator: (?!Looking)"))
    chen.choose("Locator: ", "Up", "Up", "Up", "Return")  # the third from below: an address or link
    chen.paste("Address or hail:// link")
    _fill_in_account(chen, "chen", "Chen 陈")
    chen.fill("Password again", PASSWORD)
    chen.click("button", "Create account")
    chen.see("button", "Add a contact")
