"""A call between two windows, two nodes and a real sound system: it rings, they talk, one is muted, one hangs up."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu, QWidget

from peer.call_views import CallState
from tests.harness.sound_card import SoundCard
from tests.harness.speaking import RATE, best_strength, tone
from tests.ui.talker import Talker
from ui.calls.call_window import CallWindow

pytestmark = pytest.mark.alone
LOW, HIGH = 440.0, 1_200.0
RING_NOTE = 659.26
SPOKEN_SECONDS = 6.0


def window_of(somebody: Talker) -> CallWindow:
    window = somebody.window.calls.window
    assert window is not None
    return window


def shown(somebody: Talker) -> dict[str, str]:
    """Return who stands in the window of the call, ourselves under no name, and what is said of them."""
    return {user: tile.words for user, tile in window_of(somebody).stage.tiles().items()}


def said(somebody: Talker, name: str) -> str:
    label = somebody.window.findChild(QLabel, name)
    assert label is not None
    return label.accessibleName()


def _befriend(one: Talker, other: Talker) -> None:
    one.ask(lambda node: node.ask(other.name))
    other.until(lambda: any(other.ask(lambda node: node.contacts())))
    other.ask(lambda node: node.accept(one.name))
    one.until(lambda: (talk := one.window._state.conversations.with_user(other.name)) is not None and talk.can_write)


def state_of(somebody: Talker) -> CallState | None:
    call = somebody.window._state.calls.current
    return None if call is None else call.state


def test_two_talk_and_hear_each_other(ana_and_bo: tuple[Talker, Talker], sound_card: SoundCard) -> None:
    ana, bo = ana_and_bo
    bo.sit_down()
    ring = sound_card.listen("bo", 4.0)
    ana.sit_down()
    ana.press("conversation.call")
    ana.until(lambda: state_of(ana) is CallState.RINGING)
    bo.until(bo.window.calls.card.isVisible)
    assert best_strength(ring.heard(), RING_NOTE) > 0.5, "it rings where he sits"

    bo.sit_down()
    bo.press("incoming_card.answer")
    for somebody in (ana, bo):
        somebody.until(lambda somebody=somebody: state_of(somebody) is CallState.ACTIVE)
    sound_card.speak("ana", tone(LOW, SPOKEN_SECONDS))
    sound_card.speak("bo", tone(HIGH, SPOKEN_SECONDS))
    heard = {name: sound_card.listen(name, 3.0) for name in ("ana", "bo")}
    bo.until(lambda: window_of(bo).stage.tiles()["ana"].speaks)
    ana.until(lambda: window_of(ana).level.lit > 4)
    assert best_strength(heard["bo"].heard(), LOW) > 0.7
    assert best_strength(heard["ana"].heard(), HIGH) > 0.7

    ana.press("call.mute", window_of(ana))
    bo.until(lambda: window_of(bo).stage.tiles()["ana"].mark == "mic-off")
    assert window_of(bo).notices.sentences() == ["Ana is muted."]
    on_its_way = sound_card.listen("bo", 1.5).heard()
    assert best_strength(on_its_way[RATE // 2 :], LOW) < 0.3

    bo.press("call.hang_up", window_of(bo))
    for somebody in (ana, bo):
        somebody.until(lambda somebody=somebody: state_of(somebody) is None)
    assert not window_of(bo).isVisible()
    assert not ana.window.calls.bar.isVisible()


def test_a_group_talks_and_who_left_or_declined_may_join_again(
    ana_and_bo: tuple[Talker, Talker], talker: Callable[[str], Talker], sound_card: SoundCard
) -> None:
    ana, bo = ana_and_bo
    chen = talker("chen")  # who has neither microphone nor speaker
    _befriend(ana, chen)
    group = ana.ask(lambda node: node.create_group("Lab 3", ["bo", "chen"]))
    for somebody in (ana, bo, chen):
        somebody.open(group.conversation)

    ana.sit_down()
    ana.press("conversation.call")
    for somebody in (bo, chen):
        somebody.until(somebody.window.calls.card.isVisible)
    assert said(bo, "incoming_card.words") == "Ana calls the group"
    chen.press("incoming_card.decline")
    bo.sit_down()
    bo.press("incoming_card.answer")
    for somebody in (ana, bo):
        somebody.until(lambda somebody=somebody: state_of(somebody) is CallState.ACTIVE)

    chen.until(lambda: said(chen, "conversation.call_strip.words").startswith("A call is going on: "))
    chen.sit_down()
    chen.press("conversation.join_call")
    chen.until(lambda: state_of(chen) is CallState.ACTIVE)
    ana.until(lambda: shown(ana) == {"bo": "", "chen": "has no microphone", "": ""})
    assert window_of(chen).notices.sentences() != [], "Chen is told what is missing"
    sound_card.speak("ana", tone(LOW, SPOKEN_SECONDS))
    for somebody in (bo, chen):
        somebody.until(lambda somebody=somebody: window_of(somebody).stage.tiles()["ana"].speaks)

    bo.press("call.hang_up", window_of(bo))
    bo.until(lambda: not window_of(bo).isVisible())
    bo.until(lambda: bo.window.findChild(QWidget, "conversation.call_strip").isVisible())
    ana.until(lambda: set(shown(ana)) == {"chen", ""})
    bo.sit_down()
    bo.press("conversation.join_call")
    ana.until(lambda: set(shown(ana)) == {"bo", "chen", ""})
    for somebody in (ana, bo):
        somebody.press("call.hang_up", window_of(somebody))
        somebody.until(lambda somebody=somebody: state_of(somebody) is None)
    chen.until(lambda: state_of(chen) is None)  # who is alone in a call is in none
    chen.until(lambda: "The call is over." in window_of(chen).findChild(QLabel, "call.state").text())
    for somebody in (ana, bo, chen):
        strip = somebody.window.findChild(QWidget, "conversation.call_strip")
        somebody.until(lambda strip=strip: not strip.isVisible())


def test_the_microphone_is_changed_in_the_midst_of_a_call(
    ana_and_bo: tuple[Talker, Talker], sound_card: SoundCard
) -> None:
    ana, bo = ana_and_bo
    ana.sit_down()
    ana.press("conversation.call")
    bo.until(bo.window.calls.card.isVisible)
    bo.sit_down()
    bo.press("incoming_card.answer")
    ana.until(lambda: state_of(ana) is CallState.ACTIVE)
    menu = window_of(ana).findChild(QMenu, "call.devices_menu")
    menu.popup(QPoint(0, 0))

    def find(words: str) -> QAction | None:
        return next((action for action in menu.actions() if action.text() == words), None)

    ana.until(lambda: find("ana_usb") is not None)
    action = find("ana_usb")
    assert action is not None
    action.trigger()
    menu.hide()
    ana.until(lambda: ana.ask(lambda node: node.audio_choice()).microphone == "ana_usb")
    sound_card.speak("ana", tone(LOW, SPOKEN_SECONDS))
    bo.until(lambda: window_of(bo).stage.tiles()["ana"].speaks)
    assert best_strength(sound_card.listen("bo", 2.0).heard(), LOW) > 0.7
    assert window_of(ana).notices.sentences() == []
