"""Whole calls in virtual time: what one says the others hear, whatever the network and strangers do."""

import numpy as np
import pytest

from peer.voice.jitter_buffer import PULL
from peer.voice.protection import Protection
from peer.voice.redundancy import Redundancy
from protocol.errors import LocalProtocolError
from protocol.voice_packets import FIRST_NUMBER_BITS, VOICE_PACKET_BYTES, VoiceFrame, VoicePacket, write_packet
from tests.voice.virtual_call import Path, VirtualCall, by_chance, in_bursts
from tests.voice.voices import likeness, similarity, voice

NOTHING = np.zeros(0, np.int16)
RATE = 48_000


def test_each_hears_the_other_and_soon() -> None:
    ana, bo = voice(6, 110, 1), voice(6, 210, 2)
    call = VirtualCall(ana, bo)
    call.run(6.5)
    for said, number in ((ana, 1), (bo, 0)):
        alike, late = similarity(said, call.heard(number))
        assert alike > 0.95
        assert late <= 50
    assert call.leg(0, 1).figures.unrepaired == 0
    assert call.leg(0, 1).figures.round_trip == pytest.approx(10, abs=11)
    assert call.leg(0, 1).is_heard


@pytest.mark.parametrize(
    ("path", "wanted", "least"),
    [
        (Path(by_chance(0.05, 3)), Redundancy.ONE_COPY, 0.9),
        (Path(by_chance(0.12, 3)), Redundancy.TWO_COPIES, 0.85),
        (Path(by_chance(0.2, 3)), Redundancy.TWO_COPIES, 0.8),
        (Path(in_bursts(0.12, 2.5, 4)), Redundancy.SPREAD_COPIES, 0.7),
        (Path(by_chance(0.05, 3), jitter=60), Redundancy.ONE_COPY, 0.85),
    ],
    ids=["5 %", "12 %", "20 %", "bursts", "5 % and jitter"],
)
def test_on_a_bad_network_what_is_lost_is_sent_again_as_much_as_it_needs(
    path: Path, wanted: Redundancy, least: float
) -> None:
    said = voice(24, 130, 5)
    call = VirtualCall(said, NOTHING, path=path)
    call.run(12)
    steps = []
    for _ in range(24):
        call.run(0.5)
        steps.append(call.leg(0, 1).redundancy)
    assert max(set(steps), key=steps.count) is wanted
    assert likeness(said[12 * RATE :], call.heard(1)[12 * RATE :]) > least


def test_more_redundancy_is_what_makes_it_good(monkeypatch: pytest.MonkeyPatch) -> None:
    said = voice(16, 130, 5)

    def alike() -> float:
        call = VirtualCall(said, NOTHING, path=Path(by_chance(0.2, 3)))
        call.run(16)
        return likeness(said[8 * RATE :], call.heard(1)[8 * RATE :])

    helped = alike()
    monkeypatch.setattr("peer.voice.leg.Leg.redundancy", Redundancy.NONE)
    assert alike() < helped - 0.05


def test_what_is_above_8_khz_is_given_up_where_much_is_lost_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    hiss = np.random.default_rng(1).normal(0, 3_000, 9 * RATE).astype(np.int16)
    call, high = VirtualCall(hiss, NOTHING), []
    for step in (Redundancy.NONE, Redundancy.TWO_COPIES, Redundancy.NONE):
        monkeypatch.setattr("peer.voice.leg.Leg.redundancy", step)
        call.run(3)
        spectrum = np.abs(np.fft.rfft(call.heard(1)[-RATE:].astype(float))) ** 2
        high.append(spectrum[9_000:].sum() / spectrum.sum())
    assert high[1] < 0.01 < 0.2 < min(high[0], high[2])


def test_on_a_good_network_nothing_is_sent_twice_and_every_packet_has_the_same_size() -> None:
    sizes = set()
    call = VirtualCall(voice(5, 110, 1), NOTHING)
    engine = call.people[0].engine
    send = engine._send
    engine._send = lambda ssrc, data: (sizes.add(len(data)), send(ssrc, data))[1]
    call.run(6)
    assert len(sizes) == 2, "one for sound, whether somebody speaks or not, and one for reports"
    assert call.leg(0, 1).redundancy is Redundancy.NONE


def test_eight_people_hear_each_other_and_nobody_hears_themselves() -> None:
    says = [voice(3, 90 + 25 * number, number) for number in range(8)]
    call = VirtualCall(*says)
    call.run(3.3)
    everybody = np.sum([some.astype(np.int32) for some in says], axis=0)
    for number in (0, 7):
        others = np.clip(everybody - says[number], -32_768, 32_767).astype(np.int16)
        assert similarity(others, call.heard(number))[0] > 0.9
        assert similarity(says[number], call.heard(number))[0] < 0.5
    with pytest.raises(LocalProtocolError):
        call._connect(0, 1)


def test_who_is_muted_is_not_heard_and_who_is_made_quiet_is_quiet() -> None:
    call = VirtualCall(voice(6, 110, 1), voice(6, 210, 2))
    call.run(2)
    ana, bo = (person.engine for person in call.people)
    ssrc = next(iter(ana._speakers))
    assert ana.levels(call.now)[0][2]
    bo.is_muted = True
    call.run(1.5)
    assert not ana.levels(call.now)[0][2]
    assert np.abs(call.heard(0)[-RATE // 2 :]).max() < 200
    assert bo.level > 0, "one's own meter goes on"
    bo.is_muted = False
    ana.set_volume(ssrc, 0.1)
    call.run(2)
    assert 0 < np.abs(call.heard(0)[-RATE:]).max() < 3_500


def test_what_strangers_send_is_not_heard() -> None:
    call = VirtualCall(voice(4, 110, 1), NOTHING)
    recorded: list[bytes] = []
    send = call.people[0].engine._send
    call.people[0].engine._send = lambda ssrc, data: (recorded.append(data), send(ssrc, data))[1]
    call.run(2)
    legs = call.leg(1, 0)
    before = legs._reception.highest
    assert call.inject(1, recorded[-5]) is None
    changed = [bytes([*data[:30], data[30] ^ 1, *data[31:]]) for data in recorded]
    foreign = [write_packet(VoicePacket(int.from_bytes(recorded[0][8:12]), 7, VoiceFrame(960, b"x" * 60)))] * 50
    giants = [recorded[0] + bytes(VOICE_PACKET_BYTES), bytes(70_000), b"", b"\x80", bytes(12), b"\x80\xc8" + bytes(60)]
    accepted = [call.inject(1, data) for data in (*recorded[:-2], *changed, *foreign, *giants)]
    assert accepted == [None] * len(accepted), "replayed, changed, forged, giant or truncated"
    assert legs._reception.highest == before
    shortened = [call.inject(1, data[:cut]) for data in recorded[-3:] for cut in range(len(data))]
    assert shortened == [None] * len(shortened)
    call.run(2)
    assert similarity(voice(4, 110, 1), call.heard(1))[0] > 0.9


def test_another_call_of_the_same_two_has_other_keys() -> None:
    first, second = VirtualCall(voice(1), NOTHING, seed=1), VirtualCall(voice(1), NOTHING, seed=2)
    recorded: list[bytes] = []
    first.people[0].engine._send = lambda _ssrc, data: recorded.append(data)
    first.run(1)
    ssrc = second.people[1].legs[0]._protection
    assert ssrc is not None
    assert all(second.inject(1, data) is None for data in recorded)


def test_one_who_sends_no_sound_is_silence_and_holds_up_nobody() -> None:
    call = VirtualCall(voice(3, 110, 1), NOTHING)
    call.people[1].engine._send = lambda _ssrc, _data: None
    call.run(3)
    assert not np.any(call.heard(0))
    assert len(call.heard(0)) == 300 * PULL
    assert not call.leg(0, 1).is_heard
    assert call.leg(0, 1).heard_at is None
    assert similarity(voice(3, 110, 1), call.heard(1))[0] > 0.9


@pytest.mark.parametrize("seconds", [1, 4, 20])
def test_two_hear_each_other_within_two_seconds_when_one_of_their_computers_slept(seconds: int) -> None:
    whole = 3 + seconds + 5
    ana, bo = voice(whole, 110, 1), voice(whole, 210, 2)
    call = VirtualCall(ana, bo)
    call.run(3)
    call.sleep(1, seconds)
    call.run(5)
    said = whole - 3
    assert likeness(bo[said * RATE :], call.heard(0)[said * RATE :]) > 0.9
    assert likeness(ana[said * RATE :], call.heard(1)[(said - seconds) * RATE :]) > 0.9, "it heard nothing meanwhile"
    for of, to in ((0, 1), (1, 0)):
        assert call.leg(of, to)._jitter_buffer.delay(call.now) < 100, "of the delay nothing stays"


def test_what_is_removed_is_heard_no_more() -> None:
    call = VirtualCall(voice(4, 110, 1), NOTHING)
    call.run(2)
    call.people[1].engine.remove(next(iter(call.people[1].engine._speakers)))
    call.run(1)
    assert not np.any(call.heard(1)[-RATE // 2 :])


def test_numbers_and_times_run_over_in_the_midst_of_a_call() -> None:
    said = voice(60, 120, 3)
    call = VirtualCall(said, NOTHING, path=Path(by_chance(0.02, 3), jitter=40))
    call.people[0].engine._timestamp = 2**32 - 1_000 * 960
    call.leg(0, 1)._number = 2**16 - 1_500
    call.run(60)
    leg = call.leg(1, 0)
    assert leg._reception.highest > 2**17, "they ran over"
    assert leg._jitter_buffer.played.lost < 60 * 50 * 0.01
    assert likeness(said[40 * RATE : 50 * RATE], call.heard(1)[40 * RATE : 51 * RATE]) > 0.9


def test_who_begins_to_listen_late_hears_all_from_then_on() -> None:
    is_late = True
    said = voice(10, 120, 3)
    call = VirtualCall(said, NOTHING, path=Path(lambda _now: is_late))
    call.leg(0, 1)._number = (1 << FIRST_NUMBER_BITS) - 1
    call.run(5)
    is_late = False
    call.run(5)
    assert similarity(said[7 * RATE :], call.heard(1)[7 * RATE :])[0] > 0.9


def test_what_has_no_known_ssrc_is_dropped_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    call = VirtualCall(voice(2, 110, 1), NOTHING)
    call.run(1)
    foreign = [bytes([0x80, kind]) + (bytes([number]) * 90) for kind in (96, 204) for number in range(200)]
    worked_on: list[bytes] = []
    monkeypatch.setattr(Protection, "unprotect", lambda _self, data: worked_on.append(data))
    assert [call.inject(1, data) for data in foreign] == [None] * len(foreign)
    assert not worked_on
