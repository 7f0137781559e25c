"""Goals F1 to F7: files between real programs, beside plain sockets and scp moving the same bytes in the same run."""

import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.bench.file_stream import FileStream
from tests.bench.plain_stream import PlainStream
from tests.bench.report import Row
from tests.bench.scp_reference import Scp
from tests.bench.sent_bytes import SentBytes
from tests.bench.server_cost import peak_bytes, resident_bytes
from tests.harness.processes import PASSWORD, LocatorProcess, PeerProcess, befriend

MB = 1_000_000
SIZES = {"10 MB": 10 * MB, "100 MB": 100 * MB, "1 GB": 1000 * MB}
_STREAMED = "1 GB"
"""The goals of a stream are about this size."""
CLASS = 20
CLASS_FILE = 20 * MB
TEXTS = 400


class Two:
    """Ana and Bo, and what is copied between them."""

    def __init__(self, folder: Path, link: str) -> None:
        self.ana, self.bo = (_registered(folder, link, user) for user in ("ana", "bo"))
        self.conversation = befriend(self.ana, self.bo, "ana", "bo")

    def seconds_for(self, file: Path) -> float:
        """Return the time from the click on a file that was announced until it is verified and under its name."""
        entry = self.offer(file)
        os.sync()  # nobody pays for what was written before
        began = time.perf_counter()
        return float(self.fetch(entry)["received"]) - began

    def offer(self, file: Path) -> str:
        """Send a file, so that it is offered to Bo."""
        entry: str = self.ana.call("files.send", conversation=self.conversation, path=str(file))["entry"]
        self.bo.wait_for("message_arrived", lambda event: event["message"]["entry"] == entry)
        return entry

    def fetch(self, entry: str) -> dict[str, object]:
        """Have Bo fetch it; return the event that tells that it is there, and remove the file."""
        self.bo.call("files.fetch", entry=entry)
        event = self.bo.wait_for("transfer_finished", lambda e: e["transfer"]["entry"] == entry, wait=120)
        Path(event["transfer"]["path"]).unlink()
        return event

    def save_into(self, folder: Path) -> None:
        self.bo.call("files.folder", path=str(folder))

    def close(self) -> None:
        for peer in (self.ana, self.bo):
            peer.close()


def run(folder: Path, rounds: int) -> list[Row]:
    """Start a locator, peers and references, all on loopback, and measure them in turn."""
    with ExitStack() as opened:
        locator = LocatorProcess(folder / "locator")
        opened.callback(locator.stop)
        two = Two(folder, locator.link)
        opened.callback(two.close)
        for peer in (two.ana, two.bo):
            peer.call("files.auto_fetch", size=0)
        files = {name: _file(folder / name.replace(" ", "_"), size) for name, size in SIZES.items()}
        two.save_into(folder / "disk")
        memory = _memory(two, files["1 GB"])  # first, while nothing is kept from earlier transfers
        rows = _streams(folder, two, files, rounds)
        rows += _against_scp(folder, two, files, rounds)
        rows += [_texts(two, files["1 GB"]), memory]
        for file in files.values():
            file.unlink()
        rows += _class(folder / "class", locator.link)
        return rows


def _streams(folder: Path, two: Two, files: dict[str, Path], rounds: int) -> list[Row]:
    """F1 and F2: our stream, and our whole way to the disk, beside plain sockets that move memory and drop it."""
    rows = []
    for name, file in files.items():
        rates = _rates(folder / f"streams of {file.name}", two, file, rounds, is_streamed=name == _STREAMED)
        plain = rates["plain TLS"]
        if name == _STREAMED:
            rows.append(_stream_row("F1", f"{name} streamed and verified", rates["ours"], plain, 0.8, "1.0"))
        goal, floor, aim = ("F2", 0.45, "0.55") if name == _STREAMED else ("", None, "")
        what = f"{name}, click to verified and renamed on the disk"
        rows.append(_stream_row(goal, what, rates["to disk"], plain, floor, aim))
        rows.append(_stream_row("", f"{name} over raw TCP", rates["raw TCP"], plain, None, ""))
    return rows


def _rates(folder: Path, two: Two, file: Path, rounds: int, *, is_streamed: bool) -> dict[str, list[float]]:
    """Return bytes a second, measured in turn: `ours` (our stream alone) only where that is wanted."""
    size = file.stat().st_size
    with ExitStack() as opened:
        secured = PlainStream(folder / "tls", size, is_secured=True)
        raw = PlainStream(folder / "raw", size, is_secured=False)
        measured: dict[str, Callable[[], float]] = {
            "plain TLS": secured.bytes_per_second,
            "to disk": lambda: size / two.seconds_for(file),
            "raw TCP": raw.bytes_per_second,
        }
        opened.callback(secured.close)
        opened.callback(raw.close)
        if is_streamed:
            ours = FileStream(folder / "ours", file)
            opened.callback(ours.close)
            measured = {"ours": ours.bytes_per_second, **measured}
        rates: dict[str, list[float]] = {name: [] for name in measured}
        for number in range(rounds):
            for name, measure in measured.items():
                rates[name].append(measure())
            told = ", ".join(f"{name} {rate[-1] / MB:.0f}" for name, rate in rates.items())
            print(f"{file.name}, round {number + 1}, MB/s: {told}", file=sys.stderr)
    return rates


def _stream_row(goal: str, what: str, rates: list[float], plain: list[float], floor: float | None, aim: str) -> Row:
    ratios = [ours / theirs for ours, theirs in zip(rates, plain, strict=True)]
    ratio = statistics.median(ratios)
    return Row(
        goal, what, statistics.median(rates) / MB, "MB/s", statistics.median(plain) / MB, "plain TLS sockets", ratio,
        "" if floor is None else f"≥ {floor}", aim, None if floor is None else ratio >= floor,
        (min(ratios), max(ratios)),
    )  # fmt: skip


def _against_scp(folder: Path, two: Two, files: dict[str, Path], rounds: int) -> list[Row]:
    """F3 and F4: the seconds that somebody waits."""
    scp = Scp(folder / "ssh")
    two.save_into(folder / "disk")
    rows = []
    try:
        small = folder / "small"
        small.write_bytes(b"x")
        scp.wait_until_ready(small)
        for name, file in files.items():
            ours, theirs = [], []
            for _ in range(rounds):
                ours.append(two.seconds_for(file))
                theirs.append(scp.seconds_for(file))
            ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
            ratio = statistics.median(ratios)
            goal, floor, aim = {"10 MB": ("F3", 0.7, "0.3"), "1 GB": ("F4", 1.0, "0.73")}.get(name, ("", 0.0, ""))
            rows.append(
                Row(goal, f"{name}, click to verified, on the disk", statistics.median(ours), "s",
                    statistics.median(theirs), "scp", ratio, f"≤ {floor}" if goal else "", aim,
                    ratio <= floor if goal else None, (min(ratios), max(ratios)))
            )  # fmt: skip
            print(f"{name}: {statistics.median(ours):.3f} s, scp {statistics.median(theirs):.3f} s", file=sys.stderr)
    finally:
        scp.close()
    return rows


def _memory(two: Two, file: Path) -> Row:
    """F6: the most that either program held while 1 GB moved, above what it held before."""
    entry = two.offer(file)
    idle = {peer: resident_bytes(peer.process.pid) for peer in (two.ana, two.bo)}
    for peer in idle:
        Path(f"/proc/{peer.process.pid}/clear_refs").write_text("5")
    two.fetch(entry)
    more = max(peak_bytes(peer.process.pid) - before for peer, before in idle.items()) / 2**20
    return Row("F6", "memory during 1 GB, above idle", more, "MiB", None, "", None, "≤ 32", "8", more <= 32)


def _texts(two: Two, file: Path) -> Row:
    """F5: how soon a text is shown while files move, beside how soon without."""
    idle = _text_delays(two, lambda: False)
    over = threading.Event()

    def move() -> None:
        try:
            while not over.is_set():
                two.fetch(two.offer(file))
        finally:
            over.set()

    moving = threading.Thread(target=move)
    moving.start()
    busy = _text_delays(two, over.is_set)
    over.set()
    moving.join()
    quiet, loud = _p99(idle), _p99(busy)
    return Row(
        "F5", "a text shown during transfers, p99", loud * 1e3, "ms", quiet * 1e3, "without", loud / quiet,
        "≤ 10", "5", loud / quiet <= 10,
    )  # fmt: skip


def _text_delays(two: Two, is_over: Callable[[], bool]) -> list[float]:
    delays = []
    for number in range(TEXTS):
        assert not is_over(), "the transfers ended before the texts"
        text = f"{number} {os.urandom(8).hex()}"
        began = time.perf_counter()
        two.ana.call("messages.send", conversation=two.conversation, text=text)
        event = two.bo.wait_for("message_arrived", lambda e, text=text: e["message"]["text"] == text)  # type: ignore[misc]
        delays.append(float(event["received"]) - began)
        time.sleep(0.01)
    return delays


def _p99(delays: list[float]) -> float:
    return statistics.quantiles(delays, n=100)[98]


def _class(folder: Path, link: str) -> list[Row]:
    """F7: one file for a class; how much of it goes out of the sender."""
    folder.mkdir()
    with ExitStack() as opened:
        teacher = _registered(folder, link, "teacher")
        opened.callback(teacher.close)
        students = []
        for number in range(CLASS):
            student = _registered(folder, link, f"student{number}")
            opened.callback(student.close)
            befriend(teacher, student, "teacher", f"student{number}")
            students.append(student)
        group = teacher.call("groups.create", name="Class", members=[f"student{n}" for n in range(CLASS)])
        for student in students:
            student.call("files.auto_fetch", size=2 * CLASS_FILE)
        time.sleep(15)  # until they have found each other
        file = _file(folder / "lecture", CLASS_FILE)
        sent_bytes = SentBytes(teacher.process.pid, folder / "connections")
        began = time.perf_counter()
        sent = teacher.call("files.send", conversation=group["conversation"], path=str(file))
        for student in students:
            student.wait_for("transfer_finished", lambda e: e["transfer"]["entry"] == sent["entry"], wait=300)
        seconds = time.perf_counter() - began
        given = sent_bytes.stop()
    assert given >= CLASS_FILE, "less than one copy cannot be"
    ratio = given / (CLASS * CLASS_FILE)
    print(f"{CLASS} receivers: {given / CLASS_FILE:.1f} copies went out, {seconds:.1f} s", file=sys.stderr)
    return [
        Row("F7", f"20 MB to {CLASS}: bytes out of the sender", given / MB, "MB", CLASS * CLASS_FILE / MB,
            f"{CLASS} copies", ratio, "≤ 0.5", "0.1", ratio <= 0.5),
    ]  # fmt: skip


def _registered(folder: Path, link: str, user: str) -> PeerProcess:
    peer = PeerProcess(folder / user)
    peer.call("session.register", locator=link, user=user, password=PASSWORD, name=user)
    peer.call("files.folder", path=str(folder / f"downloads of {user}"))
    return peer


def _file(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        for start in range(0, size, MB):
            file.write(os.urandom(min(MB, size - start)))
    return path
