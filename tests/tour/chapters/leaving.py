"""Whoever hosts the locator is asked what becomes of it."""

from tests.harness.processes import PASSWORD
from tests.tour.window import Window


def keep_hosting(ana: Window, bo: Window) -> None:
    ana.choose("You, Ana", "Up", "Return")  # the last line of the menu
    ana.click("button", "Keep hosting in the background")
    assert ana.has_ended(), "Ana's window did not end well"
    assert not ana.hosts_nothing(), "Ana's locator has ended"
    bo.see("label", "online · bo")


def ana_leaves(ana: Window, bo: Window) -> None:
    ana.open()
    ana.fill("Password", PASSWORD)
    ana.click("button", "Sign in")
    ana.choose("You, Ana", "Up", "Return")  # the last line of the menu
    ana.see("label", "This computer hosts the locator")


def nobody_hosts(ana: Window, bo: Window) -> None:
    ana.click("button", "Stop hosting and quit")
    assert ana.has_ended(), "Ana's window did not end well"
    assert ana.hosts_nothing(), "Ana's locator still runs"
    bo.see("label", "offline")
