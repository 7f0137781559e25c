"""Real programs on computers of their own, and a network between them that fails."""

import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.fault_lab.friends import Friends
from tests.fault_lab.lab import Lab
from tests.fault_lab.weather import Weather
from tests.harness.file_pair import digest

MIB = 1024 * 1024
SLOW = Weather(delay=0.02, jitter=0.005, bytes_a_second=4 * MIB)
LINK_IS_DEAD_AFTER = 9.0


def made(folder: Path, size: int) -> Path:
    path = folder / "large.bin"
    path.write_bytes(bytes(range(256)) * (size // 256))
    return path


def fetched(friends: Friends, entry: str, folder: Path, wait: float) -> Path:
    event = friends["bo"].wait_for("transfer_finished", lambda e: e["transfer"]["entry"] == entry, wait=wait)
    return Path(event["transfer"]["path"])


def test_talk_and_transfer_go_on_when_a_cut_path_heals(friends: Friends, lab: Lab, tmp_path: Path) -> None:
    ana, bo = friends.hosts["ana"], friends.hosts["bo"]
    lab.set(ana, bo, SLOW)
    friends.say("ana", "hello")
    friends.hears("bo", "hello", wait=5)
    path = made(tmp_path, 16 * MIB)
    entry = friends.send_file("ana", path)
    friends["bo"].call("files.folder", path=str(tmp_path))
    friends["bo"].wait_for("message_arrived", lambda event: event["message"]["entry"] == entry)
    friends["bo"].call("files.fetch", entry=entry)
    friends["bo"].wait_for("transfer_progressed", lambda event: event["transfer"]["done"] > MIB)
    lab.cut(ana, bo)
    friends.say("bo", "are you there?")
    time.sleep(LINK_IS_DEAD_AFTER + 3)
    assert "are you there?" not in friends.texts("ana")
    lab.set(ana, bo, SLOW)
    friends.hears("ana", "are you there?", wait=40)
    assert digest(fetched(friends, entry, tmp_path, wait=60)) == digest(path)
    assert lab.lost(bo, ana) > 0, "nothing was tried while the path was cut"


def test_a_peer_killed_in_the_midst_goes_on_where_it_was(friends: Friends, lab: Lab, tmp_path: Path) -> None:
    ana, bo = friends.hosts["ana"], friends.hosts["bo"]
    lab.set(ana, bo, SLOW)
    path = made(tmp_path, 12 * MIB)
    friends["bo"].call("files.folder", path=str(tmp_path))
    entry = friends.send_file("ana", path)
    friends["bo"].wait_for("message_arrived", lambda event: event["message"]["entry"] == entry)
    friends["bo"].call("files.fetch", entry=entry)
    friends["bo"].wait_for("transfer_progressed", lambda event: event["transfer"]["done"] > 3 * MIB)
    said = [f"number {number}" for number in range(20)]
    for text in said:
        friends.say("ana", text)
    friends.restart("bo")
    assert digest(fetched(friends, entry, tmp_path, wait=60)) == digest(path)
    deadline = time.monotonic() + 20
    while [text for text in friends.texts("bo") if text.startswith("number")] != said:
        assert time.monotonic() < deadline, friends.texts("bo")
        time.sleep(0.1)


def test_friends_talk_on_without_the_locator(friends: Friends, lab: Lab) -> None:
    lab.cut(friends.hosts["locator"])
    time.sleep(2)
    for number in range(5):
        friends.say("ana", f"without {number}")
        assert friends.hears("bo", f"without {number}", wait=5) < 2
    friends.locator.kill()
    friends.say("bo", "and with none at all")
    friends.hears("ana", "and with none at all", wait=5)


def test_who_gets_another_address_is_found_there(friends: Friends, lab: Lab) -> None:
    bo = friends.hosts["bo"]
    friends.say("ana", "before")
    friends.hears("bo", "before", wait=5)
    lab.move(bo, "10.77.0.33")
    friends.say("ana", "found you")
    friends.say("bo", "here I am")
    friends.hears("bo", "found you", wait=60)
    friends.hears("ana", "here I am", wait=60)


def test_datagrams_are_lost_and_late_as_told(lab: Lab) -> None:
    """What calls will need: 200 datagrams through a path that loses a fifth and takes 50 ms."""
    one, other = lab.host("one"), lab.host("other")
    lab.set(one, other, Weather(delay=0.05, loss=0.2))
    hear = (
        "import socket, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 5000)); print('ready', flush=True)\n"
        "s.settimeout(2); heard = []\n"
        "try:\n"
        "    while True: sent = float(s.recv(100)); heard.append(time.monotonic() - sent)\n"
        "except TimeoutError: print(len(heard), min(heard, default=0))\n"
    )
    speak = (
        "import socket, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "for _ in range(200):\n"
        f"    s.sendto(repr(time.monotonic()).encode(), ('{other.address}', 5000)); time.sleep(0.002)\n"
    )
    listener = subprocess.Popen([*other.inside, sys.executable, "-c", hear], stdout=subprocess.PIPE, text=True)
    assert listener.stdout is not None
    assert listener.stdout.readline() == "ready\n"
    subprocess.run([*one.inside, sys.executable, "-c", speak], check=True, timeout=20)
    told, _ = listener.communicate(timeout=20)
    count, quickest = told.split()
    assert int(count) == 200 - lab.lost(one, other)
    assert 120 <= int(count) <= 190
    assert float(quickest) >= 0.05


def test_nothing_is_left_of_a_lab(lab: Lab) -> None:
    host = lab.host("passing")
    sleep = "import time; print('there', flush=True); time.sleep(60)"
    left = subprocess.Popen([*host.inside, sys.executable, "-c", sleep], stdout=subprocess.PIPE, text=True)
    assert left.stdout is not None
    assert left.stdout.readline() == "there\n"
    lab.close()
    assert left.wait(5) != 0
    left.stdout.close()
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert host.namespace not in listed
    assert not Path("/sys/class/net", host.interface).exists()
    assert host.interface not in [name for _, name in socket.if_nameindex()]
