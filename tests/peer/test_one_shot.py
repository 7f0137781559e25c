"""The one-shot verbs as real programs: what they print, how they end, and how they share a profile."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest

from peer.command_line.__main__ import _parser
from peer.command_line.one_shot import _is_conversation, _shown
from tests.harness.processes import PASSWORD, Three, befriend

UNIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets and signals")


class Done(NamedTuple):
    code: int
    out: str
    err: str


def start(profile: Path, *words: str, password: str | None = None, **options: Any) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name != "HAIL_PASSWORD"}
    if password is not None:
        environment["HAIL_PASSWORD"] = password
    options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE} | options
    return subprocess.Popen(
        [sys.executable, "-m", "peer.command_line", "--profile", str(profile), *words],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        encoding="utf-8",
        **options,
    )


def run(profile: Path, *words: str, password: str | None = None, typed: str | None = None) -> Done:
    """Run a verb to its end; whatever it says must be plain sentences."""
    process = start(profile, *words, password=password, stdin=subprocess.PIPE)
    out, err = process.communicate(typed or "", timeout=40)
    assert "Traceback" not in err
    assert not err or process.returncode == 2 or re.fullmatch(r"hail-cli: .+\.\n", err), err
    return Done(process.returncode, out, err)


class Listener:
    """`hail-cli listen`, and the lines it printed."""

    running: ClassVar[list["Listener"]] = []

    def __init__(self, profile: Path, *words: str) -> None:
        self.running.append(self)
        self.process = start(profile, "listen", *words)
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()

    def wait_for(self, part: str, seconds: float = 20) -> str:
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (found := [line for line in self.lines if part in line]):
                assert self._changed.wait(deadline - time.monotonic()), f"no {part!r} in {self.lines}"
        return found[0]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Done:
        self.process.send_signal(number)
        code = self.process.wait(10)
        self._reader.join(5)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdout.close()
        error = self.process.stderr.read()
        self.process.stderr.close()
        return Done(code, "\n".join(self.lines), error)


@pytest.fixture(autouse=True)
def _no_listener_is_left() -> Iterator[None]:
    yield
    while Listener.running:
        listener = Listener.running.pop()
        if listener.process.poll() is None:  # the test failed before it stopped this one
            listener.process.kill()
            listener.stop()


@pytest.fixture
def friends(three_processes: Three) -> Three:
    """Ana and Bo are friends, registered through the rpc; nobody is running."""
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    befriend(ana, bo, "ana", "bo")
    ana.close()
    bo.close()
    return three_processes


@pytest.fixture
def both_usable(friends: Three) -> Three:
    """Both have logged in once more by a one-shot verb."""
    for user in ("ana", "bo"):
        assert run(friends.folder / user, "login", friends.locator.link, user, password=PASSWORD).code == 0
    return friends


def test_register_then_where_needs_no_password_again(three_processes: Three) -> None:
    profile, link = three_processes.folder / "ana", three_processes.locator.link
    done = run(profile, "register", link, "ana", "--name", "Ana", password=PASSWORD)
    assert (done.code, done.out, done.err) == (0, f"registered ana at {link}\n", "")
    done = run(profile, "where", "ana", "nobody", "--json")
    assert (done.code, done.err) == (0, "")
    ana, nobody = json.loads(done.out)
    assert (ana["user"], ana["online"], nobody["online"]) == ("ana", True, False)
    assert {"addresses", "listen_port", "voice_port"} <= set(ana)
    done = run(profile, "where", "ana", "nobody")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0][:2] == ["ana", "online"]
    assert re.fullmatch(r"127\.0\.0\.1:\d+", lines[0][2])
    assert lines[1] == ["nobody", "offline"]
    assert PASSWORD.encode() not in b"".join(file.read_bytes() for file in profile.rglob("*") if file.is_file())


def test_the_password_may_come_as_a_line_of_standard_input(three_processes: Three) -> None:
    profile, link = three_processes.folder / "ana", three_processes.locator.link
    assert run(profile, "register", link, "ana", typed=f"{PASSWORD}\nmore\n").code == 0
    assert run(profile, "login", link, "ana", typed=PASSWORD).out == f"signed in ana at {link}\n"
    assert run(profile, "login", link, "ana", typed="").code == 2
    assert run(profile, "login", link, "ana", typed="wrong horse\n").code == 1


def test_a_password_given_out_by_the_operator_is_changed_with_a_verb(three_processes: Three) -> None:
    locator = three_processes.locator
    users = [sys.executable, "-m", "locator", "users", "--data", str(locator.data)]
    subprocess.run([*users, "add", "ana", "--must-change"], input=b"given out\n", check=True, capture_output=True)
    time.sleep(0.6)  # the locator looks at the accounts four times a second
    profile = three_processes.folder / "ana"
    done = run(profile, "login", locator.link, "ana", typed="given out\n")
    assert done.code == 0
    assert "run hail-cli password" in done.err
    done = run(profile, "where", "ana")
    assert done.code == 1
    assert "Change your password first" in done.err
    assert run(profile, "password", typed="given out\n").code == 2
    assert run(profile, "password", typed="wrong horse\nbattery staple\n").code == 1
    assert run(profile, "password", typed="given out\nshort\n").code == 1
    assert run(profile, "password", typed="given out\nbattery staple\n").code == 0
    assert "online" in run(profile, "where", "ana").out
    assert run(profile, "login", locator.link, "ana", typed="battery staple\n").err == ""


def test_what_cannot_be_done_is_one_sentence_and_exit_code_1(three_processes: Three) -> None:
    profile, link = three_processes.folder / "ana", three_processes.locator.link
    for words in (("where", "bo"), ("send", "bo", "hi"), ("listen",)):
        done = run(profile, *words)
        assert (done.code, done.out) == (1, "")
        assert "hail-cli login" in done.err
    assert run(profile, "register", link, "ana", password="short").code == 1
    assert run(profile, "register", "127.0.0.1:1", "ana", password=PASSWORD).code == 1
    assert run(profile, "register", link, "no id!", password=PASSWORD).code == 1
    assert run(profile, "register", link, "ana", password=PASSWORD).code == 0
    assert run(profile, "send", "bo", "hi").code == 1, "no friend"
    assert run(profile, "send", "ab" * 32, "hi").code == 1, "no such conversation"
    three_processes.locator.kill()
    assert run(profile, "where", "bo").code == 1
    three_processes.locator.start()


def test_a_password_changed_elsewhere_opens_the_profile_with_the_former_one_or_without_it(
    three_processes: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, link = three_processes.folder / "ana", three_processes.locator.link
    assert run(profile, "register", link, "ana", password=PASSWORD).code == 0
    laptop = three_processes.peer("laptop")
    laptop.call("session.login", locator=link, user="ana", password=PASSWORD)
    laptop.call("session.change_password", old=PASSWORD, new="battery staple")
    laptop.close()
    assert "takes this device no more" in run(profile, "where", "ana").err
    locked = run(profile, "login", link, "ana", password="battery staple")
    assert (locked.code, "former" in locked.err) == (1, True)
    monkeypatch.setenv("HAIL_OLD_PASSWORD", PASSWORD)
    assert run(profile, "login", link, "ana", password="battery staple").code == 0
    monkeypatch.delenv("HAIL_OLD_PASSWORD")
    assert run(profile, "login", link, "ana", password="battery staple").code == 0
    assert run(profile, "where", "ana").code == 0
    assert len(list((profile / "accounts").iterdir())) == 1


def test_hail_password_serves_where_no_key_is_kept(friends: Three) -> None:
    assert run(friends.folder / "ana", "where", "bo").code == 1
    assert run(friends.folder / "ana", "where", "bo", password="wrong horse").code == 1
    assert run(friends.folder / "ana", "where", "bo", password=PASSWORD).code == 0
    assert run(friends.folder / "ana", "where", "bo").code == 1, "and it keeps nothing"


@UNIX_ONLY
def test_what_is_sent_is_delivered_to_who_listens(both_usable: Three) -> None:
    bo = Listener(both_usable.folder / "bo")
    deadline = time.monotonic() + 20
    while not (both_usable.folder / "bo" / "socket.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    other = Listener(both_usable.folder / "bo", "--json")
    assert json.loads(other.wait_for("connected"))["session"]["user"] == "bo"
    done = run(both_usable.folder / "ana", "send", "bo", "hello 你好\nsecond \x1b[31mline", "--wait", "20")
    assert (done.code, done.out) == (0, "delivered\n")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d ana: hello 你好", bo.wait_for("ana: "))
    assert bo.wait_for("second") == "    second \N{REPLACEMENT CHARACTER}[31mline", "a text cannot steer the terminal"
    message = json.loads(other.wait_for("message_arrived"))["message"]
    assert message["text"] == "hello 你好\nsecond \x1b[31mline"
    conversation = message["conversation"]
    assert run(both_usable.folder / "ana", "send", conversation, "by its name", "--wait", "20").out == "delivered\n"
    bo.wait_for("by its name")
    assert run(both_usable.folder / "bo", "send", "ana", "from who listens", "--wait", "0").out == "queued\n"
    for number, listener in ((signal.SIGTERM, other), (signal.SIGINT, bo)):
        done = listener.stop(number)
        assert (done.code, done.err) == (0, "")


def test_to_somebody_offline_it_is_queued_and_arrives_later(both_usable: Three) -> None:
    start_time = time.monotonic()
    done = run(both_usable.folder / "ana", "send", "bo", "for later", "--wait", "0.5")
    assert (done.code, done.out) == (0, "queued\n")
    assert time.monotonic() - start_time < 9
    ana, bo = both_usable.log_in("ana"), both_usable.log_in("bo")
    bo.wait_for("message_arrived", lambda event: event["message"]["text"] == "for later")
    ana.wait_for("message_delivered", wait=20)


@UNIX_ONLY
def test_verbs_go_through_the_rpc_that_has_the_profile_open(friends: Three) -> None:
    ana, bo = friends.log_in("ana"), friends.log_in("bo")
    done = run(friends.folder / "ana", "send", "bo", "through the socket", "--wait", "20")
    assert (done.code, done.out, done.err) == (0, "delivered\n", "")
    bo.wait_for("message_arrived", lambda event: event["message"]["text"] == "through the socket")
    ana.wait_for("message_written")
    assert json.loads(run(friends.folder / "ana", "where", "bo", "--json").out)[0]["online"]
    refused = run(friends.folder / "ana", "login", friends.locator.link, "ana", password=PASSWORD)
    assert (refused.code, "signed in here" in refused.err) == (1, True)
    mode = (friends.folder / "ana" / "hail.sock").stat().st_mode
    assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)
    ana.call("session.logout")
    assert "Nobody is signed in" in run(friends.folder / "ana", "where", "bo").err
    ana.close()
    assert not (friends.folder / "ana" / "hail.sock").exists()


@UNIX_ONLY
def test_what_a_killed_program_left_is_replaced(both_usable: Three) -> None:
    profile = both_usable.folder / "ana"
    for _ in range(2):
        ana = both_usable.log_in("ana")
        ana.kill()
        assert (profile / "hail.sock").exists()
    assert run(profile, "where", "ana").code == 0
    ana = both_usable.log_in("ana")
    assert run(profile, "where", "ana").code == 0
    assert ana.process.poll() is None


@UNIX_ONLY
def test_a_listener_whose_program_is_closed_says_so(both_usable: Three) -> None:
    ana = both_usable.log_in("ana")
    listener = Listener(both_usable.folder / "ana", "--json")
    listener.wait_for("connected")
    ana.close()
    assert listener.process.wait(10) == 1
    assert "has closed" in listener.stop().err


@UNIX_ONLY
def test_two_verbs_at_once_wait_for_each_other(both_usable: Three) -> None:
    both = [start(both_usable.folder / "ana", "where", "bo") for _ in range(3)]
    for process in both:
        out, err = process.communicate(timeout=40)
        assert (process.returncode, out.split()[:1], err) == (0, ["bo"], "")


def test_what_is_sent_at_once_to_somebody_offline_is_all_stored(both_usable: Three) -> None:
    sending = [start(both_usable.folder / "ana", "send", "bo", f"text {n}", "--wait", "8") for n in range(3)]
    for process in sending:
        out, err = process.communicate(timeout=40)
        assert (process.returncode, out, err) == (0, "queued\n", "")
    ana = both_usable.log_in("ana")
    conversation = ana.call("conversations.open", user="bo")["conversation"]
    texts = [message["text"] for message in ana.call("messages.list", conversation=conversation)]
    assert sorted(texts) == ["text 0", "text 1", "text 2"]


@UNIX_ONLY
def test_login_brings_back_a_listener_that_another_device_replaced(both_usable: Three) -> None:
    listener = Listener(both_usable.folder / "ana", "--json")
    listener.wait_for("connected")
    laptop = both_usable.folder / "laptop"
    assert run(laptop, "login", both_usable.locator.link, "ana", password=PASSWORD).code == 0
    listener.wait_for("superseded")
    done = run(both_usable.folder / "ana", "login", both_usable.locator.link, "ana", password=PASSWORD)
    assert (done.code, done.err) == (0, "")
    assert run(both_usable.folder / "ana", "where", "ana").code == 0
    assert listener.stop().code == 0


def test_when_another_device_took_over_the_verb_says_so(both_usable: Three) -> None:
    laptop = both_usable.folder / "laptop"
    assert run(laptop, "login", both_usable.locator.link, "ana", password=PASSWORD).code == 0
    done = run(both_usable.folder / "ana", "send", "bo", "from the old one")
    assert done.code == 1
    assert "another device" in done.err


def test_verify_through_the_rpc(friends: Three) -> None:
    ana, bo = friends.log_in("ana"), friends.log_in("bo")
    number = ana.call("contacts.verify", user="bo")["safety_number"]
    assert bo.call("contacts.verify", user="ana")["safety_number"] == number
    assert ana.call("contacts.verify", user="bo", safety_number=number)["verified"] is True
    with pytest.raises(Exception, match="safety_number_mismatch"):
        bo.call("contacts.verify", user="ana", safety_number="00000" * 12)


@pytest.mark.parametrize("kind", ["HangingKeyring", "BrokenKeyring"])
def test_a_keyring_that_does_not_work_holds_up_nobody(
    three_processes: Three, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"tests.harness.keyrings.{kind}")
    profile, link = three_processes.folder / "ana", three_processes.locator.link
    start_time = time.monotonic()
    assert run(profile, "register", link, "ana", password=PASSWORD).code == 0
    assert time.monotonic() - start_time < 15, "neither signing in nor the end of the program waits for it"
    (key,) = profile.glob("accounts/*/stay.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 or sys.platform == "win32"
    assert run(profile, "where", "ana").code == 0


# --- help and wrong usage ------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["register", "login", "password", "where", "send", "listen"])
def test_help_of_each_verb_has_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        _parser().parse_args(["--profile", "x", verb, "--help"])
    assert done.value.code == 0
    assert f"hail-cli --profile ~/.hail-bot {verb}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "words",
    [
        ["where"],
        ["send", "bo"],
        ["register", "hail://h:1"],
        ["send", "bo", "hi", "--wait", "-1"],
        ["send", "bo", "hi", "--wait", "soon"],
        ["send", "bo", "hi", "--wait", "inf"],
        ["send", "bo", "hi", "--wait", "nan"],
        ["listen", "more"],
    ],
    ids=str,
)
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        _parser().parse_args(["--profile", "x", *words])
    assert done.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_family_stays_together_and_a_direction_mark_shows() -> None:
    assert _shown("👨‍👩‍👧 a\u202eb") == "👨‍👩‍👧 a\N{REPLACEMENT CHARACTER}b"


def test_an_id_is_no_conversation() -> None:
    assert _is_conversation("ab" * 32)
    assert not _is_conversation("ab" * 31)
    assert not _is_conversation("xy" * 32)
