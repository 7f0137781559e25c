"""Goals of voice: how late, how well and for how much work one is heard, on good and on bad networks.

Rows without a device run real engines, codec and encryption in virtual time (`tests.voice.virtual_call`); rows with one
run two voice processes on two sound cards of a PulseAudio. Beside aiortc all is in real time, over a relay of ours.
"""

import asyncio
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from peer.audio.opus_codec import RATE
from peer.audio.switches import Switches
from peer.voice import process_messages as pipe
from peer.voice.processing import Processing
from peer.voice.time_scaling import Samples
from tests.bench.report import Row
from tests.bench.speech import delay, quality, speech
from tests.harness.recorder import Recorder
from tests.harness.sound_card import SoundCard
from tests.voice.calling import VoiceEnd, connect
from tests.voice.virtual_call import Path as NetworkPath
from tests.voice.virtual_call import VirtualCall, by_chance, in_bursts

SECONDS = 30
LEARNING = 6
"""Seconds before what is judged: the first reports have come."""
PATTERNS = 5
_NOTHING = np.zeros(0, np.int16)
_PIECE = RATE // 100
Network = Callable[[int], NetworkPath]


def run(folder: Path, rounds: int) -> list[Row]:
    """Measure all goals of `voice`."""
    from tests.bench.side_by_side import side_by_side  # aiortc is there for this benchmark alone

    said = speech(folder, SECONDS)
    rows = [*_in_memory(said), _work(said), _group(said), *_adaptation(said), _echo(said)]
    for row in rows:
        print(f"{row.goal}: {row.what}: {row.measured:.3g} {row.unit}", file=sys.stderr)
    return [*rows, *side_by_side(said, rounds), *_with_devices(said[: 12 * RATE], rounds)]


def _in_memory(said: Samples) -> Iterator[Row]:
    networks: tuple[tuple[str, str, Network, float, str], ...] = (
        ("4", "no loss", lambda _: NetworkPath(), 3.8, "4.1"),
        ("5", "5 % lost", lambda seed: NetworkPath(by_chance(0.05, seed)), 3.5, "3.7"),
        ("5", "10 % lost", lambda seed: NetworkPath(by_chance(0.1, seed)), 3.4, "3.6"),
        ("5", "20 % lost", lambda seed: NetworkPath(by_chance(0.2, seed)), 2.9, "3.3"),
        ("6", "10 % lost, two in a row", lambda seed: NetworkPath(in_bursts(0.1, 2, seed)), 2.3, "2.8"),
    )
    for goal, what, network, floor, aim in networks:
        found = [_heard(said, network(seed), seed) for seed in range(1, PATTERNS + 1)]
        score = statistics.mean(good for _, good, _ in found)
        spread = (min(good for _, good, _ in found), max(good for _, good, _ in found))
        rate = max(bits for *_, bits in found) / 1000
        late = statistics.mean(late for late, *_ in found)
        whole = f"PESQ, {what} (from mouth to ear {late:.0f} ms, {rate:.0f} kbit/s of voice)"
        is_met = score >= floor and rate <= 100
        yield Row(goal, whole, score, "", None, "", None, f"≥ {floor}", aim, is_met, spread)
    found = [_heard(said, NetworkPath(by_chance(0.05, seed), jitter=60), seed) for seed in range(1, PATTERNS + 1)]
    late = statistics.mean(late for late, *_ in found)
    good = statistics.mean(good for _, good, _ in found)
    what = f"mouth to ear, 5 % lost and 0-60 ms of jitter (PESQ {good:.2f})"
    yield Row("3", what, late, "ms", None, "", None, "≤ 120", "100", late <= 120)


def _heard(said: Samples, path: NetworkPath, seed: int) -> tuple[float, float, float]:
    """Return mouth to ear in ms, PESQ, and bits of voice a second in one direction."""
    before = np.roll(said, 7 * seed * RATE)[: LEARNING * RATE]
    call = VirtualCall(np.concatenate((before, said)), _NOTHING, path=path, seed=seed)
    call.run(LEARNING)
    begin = call.voice_bytes
    call.run(SECONDS + 0.5)
    bits = 8 * (call.voice_bytes - begin) / 2 / (SECONDS + 0.5)
    heard = call.heard(1)[LEARNING * RATE :]
    return delay(said, heard), quality(said, heard), bits


def _work(said: Samples) -> Row:
    busy = []
    for switches in (Switches(echo=False, noise=False, gain=False), Switches()):
        call = VirtualCall(said, said, switches=switches)
        begin = time.process_time()
        call.run(10)
        busy.append(100 * (time.process_time() - begin) / 2 / 10)
    what = f"processor time of a call, of one core, no devices (echo, noise and gain worked on: {busy[1]:.1f} %)"
    return Row("7", what, busy[0], "%", None, "", None, "≤ 6 (12)", "4 (9)", busy[0] <= 6 and busy[1] <= 12)


def _group(said: Samples) -> Row:
    call = VirtualCall(*(np.roll(said, number * RATE) for number in range(8)))
    begin = time.process_time()
    call.run(10)
    busy = 100 * (time.process_time() - begin) / 8 / 10
    played = [leg._jitter_buffer.played for person in call.people for leg in person.legs.values()]
    invented = sum(some.lost + some.waited for some in played)
    what = f"processor time of one of eight people ({invented} pieces invented)"
    return Row("8", what, busy, "%", None, "", None, "≤ 15", "-", busy <= 15 and not invented)


def _adaptation(said: Samples) -> Iterator[Row]:
    path = NetworkPath()
    call = VirtualCall(np.tile(said, 2), _NOTHING, path=path)
    call.run(8)
    targets = []
    for step in range(2_400):
        path.jitter = 100.0 if step < 800 else 0.0
        call.run(0.01)
        targets.append(call.leg(1, 0)._jitter_buffer.target)
    rise = next(step for step, target in enumerate(targets) if target >= 80) / 100
    fall = next(step for step, target in enumerate(targets[800:]) if target <= 30) / 100
    yield Row(
        "9", "jitter of 0-100 ms begins: waits 80 ms after", rise, "s", None, "", None, "≤ 0.5", "0.3", rise <= 0.5
    )
    yield Row("9", "it ends: waits no more than 30 ms after", fall, "s", None, "", None, "≤ 5", "3", fall <= 5)


def _echo(said: Samples) -> Row:
    losses = []
    for late_ms in (40, 180):
        room = np.random.default_rng(1).normal(0, 1, int(0.12 * RATE)) * np.exp(-np.arange(int(0.12 * RATE)) / 1_200)
        size = 1 << (len(said) + len(room)).bit_length()
        echo = np.fft.irfft(np.fft.rfft(said, size) * np.fft.rfft(room, size), size)[: len(said)]
        echo = np.concatenate((np.zeros(late_ms * RATE // 1000), echo))[: len(said)]
        echo = (echo / np.abs(echo).max() * 8_000).astype(np.int16)
        processing = Processing(Switches(echo=True, noise=False, gain=False))
        assert not processing.missing, processing.missing
        left = []
        for at in range(0, len(said) - _PIECE, _PIECE):
            processing.played(said[at : at + _PIECE])
            left.append(processing.heard(echo[at : at + _PIECE]))
        after = np.concatenate(left)[6 * RATE :].astype(np.float64)
        before = echo[6 * RATE : 6 * RATE + len(after)].astype(np.float64)
        losses.append(10 * np.log10((before @ before) / max(1.0, after @ after)))
    worst = float(min(losses))
    return Row(
        "10",
        "echo return loss after 6 s, worst of 40 and 180 ms",
        worst,
        "dB",
        None,
        "",
        None,
        "≥ 40",
        "45",
        worst >= 40,
    )


# --- with devices -----------------------------------------------------------------------------------


def _with_devices(said: Samples, rounds: int) -> Iterator[Row]:
    plain, worked_on, busy = [], [], []
    for number in range(rounds):
        for found, works, is_busy in ((plain, False, False), (worked_on, True, False), (busy, False, True)):
            with _load(is_busy):
                found.append(asyncio.run(_call_on_cards(said, works=works)))
            late, good = found[-1]
            print(f"round {number + 1}: mouth to ear {late:.0f} ms, PESQ {good:.2f}", file=sys.stderr)
    delays = sorted(late for late, _ in plain)
    late, worst = statistics.median(delays), delays[-1]
    what = f"mouth to ear, two sound cards, nothing worked on (worst {worst:.0f} ms)"
    yield Row("1", what, late, "ms", None, "", None, "≤ 80 (100)", "60", late <= 80 and worst <= 100)
    late = statistics.median(late for late, _ in worked_on)
    yield Row("2", "the same with echo and noise worked on", late, "ms", None, "", None, "≤ 100", "80", late <= 100)
    good = statistics.median(good for _, good in busy)
    what = "PESQ on two sound cards beside a program that is always busy"
    yield Row("11", what, good, "", None, "", None, "≥ 3.5", "3.8", good >= 3.5)


async def _call_on_cards(said: Samples, *, works: bool) -> tuple[float, float]:
    """Return mouth to ear in ms, and PESQ."""
    card = SoundCard("ana", "bo")
    ana, bo = VoiceEnd(card.environment("ana")), VoiceEnd(card.environment("bo"))
    try:
        await ana.begin()
        await bo.begin()
        if works:
            for end in (ana, bo):
                await end.process.ask(pipe.SetProcessing(echo=True, noise=True, gain=False))
        await connect(ana, bo)
        await asyncio.sleep(4)
        recorders = [Recorder(card, device) for device in ("ana_micfeed.monitor", "bo_spk.monitor")]
        await asyncio.sleep(0.5)
        card.speak("ana", said.tolist())
        await asyncio.sleep(len(said) / RATE + 1.5)
        (mouth, mouth_begin), (ear, ear_begin) = (recorder.stop() for recorder in recorders)
        late = delay(said, ear) - delay(said, mouth) + 1000 * (ear_begin - mouth_begin)
        return late, quality(said, ear)
    finally:
        await ana.close()
        await bo.close()
        card.close()


def _spin() -> None:
    while True:
        pass


@contextmanager
def _load(is_busy: bool) -> Iterator[None]:
    """Let another program be busy all the time, as a window that repaints is."""
    process = multiprocessing.Process(target=_spin, daemon=True) if is_busy else None
    if process is not None:
        process.start()
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.join()
