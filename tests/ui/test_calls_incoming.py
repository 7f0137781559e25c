"""A call that comes in: the card, the ringing, the notification, and what makes them go again."""

from collections.abc import Callable

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QLabel, QWidget

from peer import events
from peer.call_views import CallEnd, CallState, CallView
from peer.errors import RefusalCode
from peer.views import Tone
from tests.ui.scripted_node import (
    ScriptedNode,
    make_call_view,
    make_caller,
    make_contact,
    make_conversation,
    make_session,
    refuse,
)
from ui.calls.incoming_card import IncomingCard
from ui.main_window.window import MainWindow
from ui.main_window.window_memory import WindowMemory
from ui.notifications.settings import Loudness, RingChoice
from ui.settings.settings_dialog import SettingsDialog

BOTH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
replace = msgspec.structs.replace
Tell = Callable[[type[events.Event], CallView], None]


@pytest.fixture
def here(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    """Signed in, writing to Bob, with the window in front."""
    node.talks = [make_conversation("alice"), make_conversation("bob")]
    node.people = [make_contact("alice"), make_contact("bob")]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    window.chat.open(window._state.conversations.with_user("bob"))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


@pytest.fixture
def tell(qtbot, here: MainWindow, node: ScriptedNode) -> Tell:
    def tell(event: type[events.Event], call: CallView) -> None:
        with qtbot.waitSignal(here._state.calls.changed):
            node.calls.tell(event, call)

    return tell


@pytest.fixture
def away(here: MainWindow, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Somebody who looks elsewhere; returns what the desktop is asked to show and to take back."""
    told: list[tuple[str, str]] = []

    class Desktop:
        async def show(self, key: str, title: str, text: str) -> bool:
            told.append((key, f"{title}: {text}"))
            return True

        async def clear(self, key: str) -> None:
            told.append((key, "cleared"))

    here._notifier._desktop = Desktop()  # type: ignore[assignment]
    monkeypatch.setattr(here.calls, "_is_in_front", lambda: False)
    return told


def ringing(number: int = 1, **changes) -> CallView:
    return make_call_view(CallState.RINGING, number=number, is_incoming=True, **changes)


def over(call: CallView, reason: CallEnd) -> CallView:
    return replace(call, state=CallState.ENDED, reason=reason)


def card_of(here: MainWindow) -> IncomingCard:
    return here.calls.card


def said(card: QWidget, name: str) -> str:
    label = card.findChild(QLabel, name)
    assert label is not None
    return label.text()


def press(qtbot, place: QWidget, name: str) -> None:
    button = place.findChild(QAbstractButton, name)
    assert button is not None
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def asked(qtbot, node: ScriptedNode, name: str, *what) -> None:
    qtbot.waitUntil(lambda: what in node.asked(name))


def test_it_is_answered_with_a_click(qtbot, here: MainWindow, node: ScriptedNode, tell: Tell) -> None:
    call = ringing()
    tell(events.CallRinging, call)
    card = card_of(here)
    assert card.isVisible()
    assert here.calls.outside is None, "the window is in front: one card is enough"
    assert here.calls.window is None
    assert card.accessibleName() == "Alice: is calling you"
    asked(qtbot, node, "play_tone", Tone.RING)
    press(qtbot, card, "incoming_card.answer")
    asked(qtbot, node, "answer", call.call)
    qtbot.waitUntil(lambda: not card.isVisible())
    asked(qtbot, node, "stop_tone")
    assert here.calls.window is not None
    assert here.calls.window.isVisible()


def test_it_is_declined_with_a_click(qtbot, here: MainWindow, node: ScriptedNode, tell: Tell) -> None:
    call = ringing()
    tell(events.CallRinging, call)
    press(qtbot, card_of(here), "incoming_card.decline")
    asked(qtbot, node, "decline", call.call)
    qtbot.waitUntil(lambda: not card_of(here).isVisible())
    asked(qtbot, node, "stop_tone")
    assert here.calls.window is None
    assert here.toast.text() == ""


@pytest.mark.parametrize(("key", "asks"), [(Qt.Key.Key_A, "answer"), (Qt.Key.Key_D, "decline")])
def test_it_is_answered_and_declined_by_key_and_takes_no_letter_from_who_writes(
    qtbot, here: MainWindow, node: ScriptedNode, tell: Tell, key: Qt.Key, asks: str
) -> None:
    call = ringing()
    field = here.chat.pane.composer.input
    qtbot.keyClicks(field, "one ")
    tell(events.CallRinging, call)
    assert here.focusWidget() is field
    qtbot.keyClicks(field, "two ")
    assert field.toPlainText() == "one two "
    qtbot.keyClick(field, key, BOTH)
    asked(qtbot, node, asks, call.call)


@pytest.mark.parametrize("reason", [CallEnd.WITHDRAWN, CallEnd.MISSED, CallEnd.ELSEWHERE])
def test_the_card_goes_when_there_is_nothing_to_answer_any_more(
    qtbot, here: MainWindow, node: ScriptedNode, tell: Tell, reason: CallEnd
) -> None:
    call = ringing()
    tell(events.CallRinging, call)
    tell(events.CallEnded, over(call, reason))
    assert not card_of(here).isVisible()
    asked(qtbot, node, "stop_tone")


def test_who_looks_elsewhere_gets_a_card_on_top_of_everything_and_a_notification(
    qtbot, here: MainWindow, node: ScriptedNode, tell: Tell, away: list[tuple[str, str]]
) -> None:
    call = ringing()
    tell(events.CallRinging, call)
    outside = here.calls.outside
    assert outside is not None
    assert outside.isVisible()
    assert outside.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    assert outside.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert said(outside, "incoming.name") == "Alice"
    qtbot.waitUntil(lambda: away == [("call", "Alice: is calling")])
    press(qtbot, outside, "incoming.answer")
    asked(qtbot, node, "answer", call.call)
    qtbot.waitUntil(lambda: not outside.isVisible())
    qtbot.waitUntil(lambda: ("call", "cleared") in away)
    assert node.asked("decline") == []


def test_who_closes_the_card_declines(
    qtbot, here: MainWindow, node: ScriptedNode, tell: Tell, away: list[tuple[str, str]]
) -> None:
    call = ringing()
    tell(events.CallRinging, call)
    assert here.calls.outside is not None
    here.calls.outside.close()
    asked(qtbot, node, "decline", call.call)


def test_a_private_screen_names_nobody_and_none_is_told_who_wants_none(
    qtbot, here: MainWindow, tell: Tell, away: list[tuple[str, str]]
) -> None:
    here._notifier._settings.choose(Loudness.PRIVATE)
    tell(events.CallRinging, ringing())
    qtbot.waitUntil(lambda: away == [("call", "Hail: A call")])
    tell(events.CallEnded, over(ringing(), CallEnd.WITHDRAWN))
    qtbot.waitUntil(lambda: len(away) == 2)
    here._notifier._settings.choose(Loudness.OFF)
    tell(events.CallRinging, ringing(2))
    tell(events.CallEnded, over(ringing(2), CallEnd.WITHDRAWN))
    assert len(away) == 2


def test_a_click_on_the_notification_leads_to_the_window(qtbot, here: MainWindow, tell: Tell, away) -> None:
    tell(events.CallRinging, ringing())
    here.hide()
    here._notifier._open("call")
    assert here.isVisible()
    assert card_of(here).isVisible()


def test_the_call_of_a_group_says_who_rings(here: MainWindow, tell: Tell) -> None:
    people = (make_caller("alice"), make_caller("bo", state=CallState.RINGING))
    tell(events.CallRinging, ringing(is_group=True, title="Lab 3", people=people))
    card = card_of(here)
    assert (said(card, "incoming_card.name"), said(card, "incoming_card.words")) == ("Lab 3", "Alice calls the group")


def test_a_second_call_neither_rings_nor_takes_the_place_of_the_first(
    qtbot, here: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    tell(events.CallStarted, make_call_view(CallState.ACTIVE))
    other = ringing(2, title="Bob")
    node.tell(events.CallEnded(over(other, CallEnd.BUSY)))
    qtbot.waitUntil(lambda: here.toast.text() == "Bob called while you were in a call.")
    tell(events.CallRinging, replace(other, call=ringing(3).call))
    assert not card_of(here).isVisible()
    assert node.asked("play_tone") == []


def test_what_was_missed_while_nobody_was_here_is_not_said_again(here: MainWindow, qtbot, node: ScriptedNode) -> None:
    node.tell(events.CallEnded(over(ringing(), CallEnd.DECLINED)))
    node.tell(events.Warned(RefusalCode.REFUSED, "the end"))
    qtbot.waitUntil(lambda: here.toast.text() == "the end")


def test_no_speaker_is_no_trouble(qtbot, here: MainWindow, node: ScriptedNode, tell: Tell) -> None:
    node.refusals["play_tone"] = refuse(RefusalCode.NO_SPEAKER)
    node.refusals["stop_tone"] = refuse(RefusalCode.AUDIO_FAILED)
    call = ringing()
    tell(events.CallRinging, call)
    tell(events.CallEnded, over(call, CallEnd.WITHDRAWN))
    asked(qtbot, node, "stop_tone")
    node.tell(events.Warned(RefusalCode.REFUSED, "the end"))
    qtbot.waitUntil(lambda: here.toast.text() == "the end")


def test_the_settings_let_it_be_silent_also_after_the_next_start(
    qtbot, here: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    here._open_settings()
    settings = here.findChild(SettingsDialog)
    settings.show_page(1)
    switch = settings.findChild(QCheckBox, "settings.rings")
    assert switch.isChecked()
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    settings.reject()
    call = ringing()
    tell(events.CallRinging, call)
    assert card_of(here).isVisible()
    tell(events.CallEnded, over(call, CallEnd.WITHDRAWN))
    assert node.asked("play_tone") == []
    assert not RingChoice(WindowMemory(here._memory.profile).word("rings")).rings


def test_a_call_that_one_answers_nowhere_is_forgotten_when_one_logs_out(here: MainWindow, tell: Tell, away) -> None:
    tell(events.CallRinging, ringing())
    here._logged_out(None)
    assert not card_of(here).isVisible()
    assert here.calls.outside is not None
    assert not here.calls.outside.isVisible()
