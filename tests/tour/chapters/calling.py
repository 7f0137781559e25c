"""Ana calls Bo: it rings, they talk, somebody is muted, and one hangs up."""

import re
import time

import numpy as np

from tests.harness.speaking import RATE, best_strength
from tests.tour.window import Window
from tests.voice.voices import likeness, similarity, voice

RING_NOTE = 659.26
RING_SECONDS, TALK_SECONDS, REST_SECONDS = 4.0, 10.0, 1.0
SETTLES_SECONDS = 3.0
"""A call is as quick as it can be once it knows the network and the devices."""
LATEST_MS, LEAST_ALIKE = 400, 0.6
"""On a busy machine; the benchmark of calls has the goals."""


def ring(ana: Window, bo: Window) -> None:
    listener = bo.listen(RING_SECONDS)
    ana.click("button", "Call", exactly=True)
    ana.see("label", "Ringing…")
    ana.arrange()
    bo.see("label", "is calling you")
    bo.see("button", re.compile("^Answer"))
    assert best_strength(listener.heard(), RING_NOTE) > 0.5, "it does not ring at Bo's"


def talk(ana: Window, bo: Window) -> str:
    bo.click("button", re.compile("^Answer"))
    for somebody in (ana, bo):
        somebody.see("label", re.compile(r"^00:0\d$"))
    bo.arrange()
    time.sleep(SETTLES_SECONDS)
    mouth, ear = ana.record_mouth(), bo.record_ear()
    said = voice(TALK_SECONDS)
    ana.say(said.tolist())
    time.sleep(REST_SECONDS)
    (spoken, spoken_at), (heard, heard_at) = mouth.stop(), ear.stop()
    (_, in_spoken), (_, in_heard) = similarity(said, spoken), similarity(said, heard)
    late = in_heard - in_spoken + 1_000 * (heard_at - spoken_at)
    alike = likeness(said, np.concatenate([heard, np.zeros(RATE, np.int16)]))
    told = bo.see("label", re.compile("connection: ")).name
    assert 0 < late < LATEST_MS, f"heard after {late:.0f} ms"
    assert alike > LEAST_ALIKE, f"only {alike:.0%} alike"
    return f"heard after {late:.0f} ms, {alike:.0%} alike; the window says “{told}”"


def hang_up(ana: Window, bo: Window) -> None:
    ana.click("button", "Mute (M)", exactly=True)
    ana.see("button", "Unmute (M)")
    bo.see("label", "Ana is muted.")
    bo.click("button", re.compile("^Hang up"))
    ana.see("label", "The call is over. It lasted 00:")
    ana.click("button", "Close", exactly=True)
    ana.see("row", "Outgoing call")
    bo.see("row", "Incoming call")
