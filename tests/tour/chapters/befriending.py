"""How people come to know each other, and make sure of it."""

from tests.tour.window import Window

DIGIT_GROUPS = 12


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


def meet_chen(ana: Window, chen: Window) -> None:
    chen.click("button", "Add a contact")
    chen.fill("ID", "ana")
    chen.click("button", "Send request")
    ana.click("button", "Contact requests, 1 waiting")
    ana.click("button", "Accept Chen")
    ana.click("button", "Close")
    chen.click("row", "Ana")
    chen.see("text", "Message")
