"""A call between two windows, two nodes and a real sound system: it rings, they talk, one is muted, one hangs up."""

from peer.call_views import CallState
from tests.harness.sound_card import SoundCard
from tests.harness.speaking import RATE, best_strength, tone
from tests.ui.talker import Talker
from ui.calls.call_window import CallWindow

LOW, HIGH = 440.0, 1_200.0
RING_NOTE = 659.26
SPOKEN_SECONDS = 6.0


def window_of(somebody: Talker) -> CallWindow:
    window = somebody.window.calls.window
    assert window is not None
    return window


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
