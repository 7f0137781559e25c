"""Several real locators on one real Redis: what a class sees of it, and what happens when something is lost."""

import re
import shutil
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from locator import limits
from protocol.errors import RefusalCode
from protocol.locator_messages import (
    Done,
    KeepAlive,
    Locators,
    LoggedIn,
    LogOut,
    Moved,
    Refused,
)
from protocol.registry import Message
from tests.harness.redis_server import RedisServer
from tests.locator.real_locator import Client, RealLocator, command, free_port

SOON = 1.0
"""Seconds within which what happens at one locator is known at the others; a command's work has as long."""


class Several:
    """A Redis and locators on it, each with a data folder of its own."""

    def __init__(self, folder, **redis: object) -> None:
        self.folder = folder
        self.redis = RedisServer(folder / "redis", **redis)
        self.authority = folder / "authority.pem"
        self.running: list[RealLocator] = []
        self.clients: list[Client] = []

    def start(self, name: str, *flags: str) -> RealLocator:
        flags = ("--store", self.redis.url, "--authority", str(self.authority), *flags)
        self.running.append(RealLocator(self.folder / name, *flags))
        return self.running[-1]

    def connect(self, locator: RealLocator, key=None) -> Client:
        self.clients.append(locator.connect(key).greeted())
        return self.clients[-1]

    def wait_until_known(self, locator: RealLocator, user: str) -> None:
        """What was made at one is known at another a moment later, and a test is faster than any person."""
        observer = self.connect(locator)
        observer.register(f"observer-of-{user}")
        until(lambda: observer.where(user)[0].known)

    def users(self, *words: str, typed: str = ""):
        return command(None, "users", *words, "--store", self.redis.url, typed=typed)

    def close(self) -> None:
        for client in self.clients:
            client.socket.close()
        for locator in self.running:
            locator.stop()
            assert "Traceback" not in locator.log, locator.log
        self.redis.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two locators that stay; each test has users of its own."""
    several = Several(tmp_path_factory.mktemp("pair"))
    several.start("a")
    several.start("b")
    yield several
    several.close()


@pytest.fixture
def several(tmp_path, request):
    made = Several(tmp_path, **getattr(request, "param", {}))
    yield made
    made.close()


def says_who_else_is_there(client) -> Locators:
    while not isinstance(message := client.receive(), Locators):
        assert message is not None
    return message


def moved(client) -> Message:
    """Return the next thing heard of somebody watched."""
    while not isinstance(message := client.receive(), Moved):
        assert message is not None
    return message.about


def ended(client) -> list[Message]:
    """Return what was heard until the locator hung up."""
    heard = []
    while (message := client.receive()) is not None:
        heard.append(message)
    return [message for message in heard if not isinstance(message, Locators)]


def until(is_so, seconds=SOON) -> float:
    """Wait for it, no longer than allowed; return how long it took."""
    start = time.monotonic()
    while not is_so():
        assert time.monotonic() - start < seconds
        time.sleep(0.02)
    return time.monotonic() - start


# --- as one ------------------------------------------------------------------------------------


def test_who_registers_at_one_is_found_and_may_log_in_at_the_other(pair):
    a, b = pair.running
    assert a.link.partition("#")[2] == b.link.partition("#")[2], "one realm"
    ana, bo = pair.connect(a), pair.connect(b)
    ana.register("ana")
    bo.register("bo")
    until(lambda: bo.where("ana")[0].online)
    (about,) = bo.where("ana")
    assert (about.addresses, about.listen_port, about.voice_port) == (("127.0.0.1",), 7500, 7501)
    assert about.device_list is not None
    assert not bo.where("nobody")[0].known
    ana.ask(LogOut, Done)
    until(lambda: not bo.where("ana")[0].online)
    again = pair.connect(b)
    assert again.log_in("ana").session == 2, "b knows her: she was found there"


def test_everybody_is_told_of_both_locators(pair):
    a, b = pair.running
    places = tuple(sorted(f"127.0.0.1:{locator.place[1]}" for locator in (a, b)))
    for locator, user in ((a, "told-a"), (b, "told-b")):
        client = pair.connect(locator)
        client.register(user)
        while says_who_else_is_there(client).places != places:
            pass


def test_a_watch_reaches_across(pair):
    a, b = pair.running
    watcher, watched = pair.connect(a), pair.connect(b)
    watcher.register("watcher")
    watcher.watch("watched")
    watched.register("watched")
    start = time.monotonic()
    while not moved(watcher).online:  # first that there is such an account
        pass
    assert time.monotonic() - start < SOON
    start = time.monotonic()
    watched.ask(LogOut, Done)
    assert not moved(watcher).online
    assert time.monotonic() - start < SOON


def test_another_device_takes_over_across(pair):
    a, b = pair.running
    watcher, old, new = pair.connect(a), pair.connect(a), pair.connect(b)
    watcher.register("over-watcher")
    old.register("over")
    pair.wait_until_known(b, "over")
    watcher.watch("over")
    assert new.log_in("over").session == 2
    assert [message.session for message in ended(old)] == [2]
    assert moved(watcher).device_list is not None, "the list has one more device"
    late = pair.connect(a, old.key)
    assert late.log_in_by_key("over", Refused, resume=1).code == RefusalCode.SUPERSEDED
    assert new.ask(KeepAlive, Done)
    watcher.socket.settimeout(limits.GRACE_SECONDS + 1)
    with pytest.raises(TimeoutError):
        moved(watcher)  # nobody was told of a gap
    assert watcher.where("over")[0].online


def test_the_same_device_moves_silently_and_no_watcher_hears_of_it(pair):
    a, b = pair.running
    watcher, first = pair.connect(a), pair.connect(a)
    watcher.register("move-watcher")
    first.register("move")
    watcher.watch("move")
    pair.wait_until_known(b, "move")
    second = pair.connect(b, first.key)
    assert second.log_in_by_key("move", resume=1).session == 1
    assert ended(first) == []
    watcher.socket.settimeout(limits.GRACE_SECONDS + 1)
    with pytest.raises(TimeoutError):
        moved(watcher)
    assert watcher.where("move")[0].online
    assert second.ask(KeepAlive, Done)


def test_of_two_who_register_one_id_at_once_one_wins(pair):
    for number in range(5):
        clients = [pair.connect(locator) for locator in pair.running]
        passwords = iter(("the first password", "another password"))

        def register(client, user=f"once-{number}"):
            try:
                return client.register(user, password=next(passwords))  # noqa: B023 - used at once
            except AssertionError as error:  # refused
                return error.args[0]

        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(register, clients))
        assert sorted(type(answer).__name__ for answer in answers) == ["LoggedIn", "Refused"]
        refused = next(answer for answer in answers if isinstance(answer, Refused))
        assert refused.code == RefusalCode.NAME_TAKEN


def test_of_two_hundred_logins_of_one_person_at_both_exactly_one_session_stays(pair):
    devices = [pair.connect(locator) for locator in pair.running for _ in range(2)]
    devices[0].register("crowd")
    pair.wait_until_known(pair.running[1], "crowd")
    for device in devices[1:]:
        device.log_in("crowd")
    clients = [pair.connect(locator, device.key) for device in devices for locator in pair.running for _ in range(25)]
    for client in clients:
        client.send(client.key_login("crowd", resume=0))
    answers = [answer_of(client) for client in clients]
    assert all(isinstance(a, LoggedIn) or a.code == RefusalCode.SUPERSEDED for a in answers)
    numbers = [answer.session for answer in answers if isinstance(answer, LoggedIn)]
    assert len(set(numbers)) == len(numbers), "no number was given twice"
    assert min(numbers) > len(devices)
    time.sleep(SOON)
    staying = [client for client in clients if is_somebody(client)]
    assert len(staying) == 1
    assert answers[clients.index(staying[0])].session == max(numbers) == len(devices) + len(clients)
    assert staying[0].where("crowd")[0].online


def answer_of(client) -> Message:
    while not isinstance(message := client.receive(), LoggedIn | Refused):
        assert message is not None
    return message


def is_somebody(client) -> bool:
    """Tell whether a connection has a session."""
    try:
        client.send(KeepAlive(99))
        while (message := client.receive()) is not None:
            if getattr(message, "tag", None) == 99:
                return isinstance(message, Done)
    except OSError:
        pass
    return False


# --- the operator --------------------------------------------------------------------------------


def test_an_operators_disable_ends_a_session_at_any_locator_within_a_second(pair):
    ana = pair.connect(pair.running[1])
    ana.register("shut-out")
    ana.socket.settimeout(SOON)
    assert pair.users("disable", "shut-out").returncode == 0
    start = time.monotonic()
    assert ended(ana) == []
    assert time.monotonic() - start < SOON
    again = pair.connect(pair.running[0])
    assert again.log_in("shut-out", Refused).code == RefusalCode.ACCOUNT_DISABLED
    assert pair.users("enable", "shut-out").returncode == 0
    assert again.log_in("shut-out").session == 2


def test_the_operators_verbs_work_on_the_shared_accounts(pair):
    assert pair.users("add", "made", typed="x\n").returncode == 0
    assert "has an account already" in pair.users("add", "made", typed="x\n").stderr
    assert "session   0" in pair.users("show", "made").stdout
    assert re.search(r"^made ", pair.users("list").stdout, re.MULTILINE)
    assert pair.users("password", "made", typed="y\n").returncode == 0
    assert pair.users("remove", "made").returncode == 0
    assert "no account" in pair.users("show", "made").stderr


def test_a_locator_of_its_own_becomes_one_of_several_with_everybody_in_it(several):
    alone = RealLocator(several.folder / "alone")
    with alone.connect().greeted() as ana:
        ana.register("ana")
    alone.stop()
    several.authority = several.folder / "alone" / "authority.pem"
    words = ("users", "copy", "--store", several.redis.url)
    assert "Start a locator" in command(several.folder / "alone", *words).stderr
    a = several.start("a")
    assert command(several.folder / "alone", *words).stdout == "1 copied, 0 were there already\n"
    assert command(several.folder / "alone", *words).stdout == "0 copied, 1 were there already\n"
    assert "no accounts in" in command(several.folder / "a", *words).stderr
    assert several.connect(a, ana.key).log_in_by_key("ana", resume=1).session == 1, "nobody types a password"


# --- losing something ------------------------------------------------------------------------------


def test_a_killed_locator_loses_no_account_and_its_users_are_gone_or_elsewhere_within_fifteen_seconds(several):
    a, b = several.start("a"), several.start("b")
    ana, bo, watcher = several.connect(a), several.connect(a), several.connect(b)
    ana.register("ana")
    bo.register("bo")
    watcher.register("watcher")
    until(lambda: all(about.online for about in watcher.where("ana", "bo")))
    watcher.watch("ana", "bo")
    a.stop(signal.SIGKILL)
    start = time.monotonic()
    again = several.connect(b, ana.key)
    assert again.log_in_by_key("ana", resume=1).session == 1
    watcher.socket.settimeout(15)
    about = moved(watcher)
    assert (about.user, about.online) == ("bo", False), "of Ana there was nothing to tell"
    assert time.monotonic() - start < 15
    assert watcher.where("ana")[0].online
    assert several.connect(b).log_in("bo").session == 2
    third = several.start("a")
    assert several.connect(third, ana.key).log_in_by_key("ana", resume=1).session == 1


def test_a_locator_that_was_asleep_comes_back_and_takes_nobody_from_the_others(several):
    a, b = several.start("a"), several.start("b")
    ana, bo, watcher = several.connect(a), several.connect(a), several.connect(b)
    ana.register("ana")
    bo.register("bo")
    watcher.register("watcher")
    until(lambda: all(about.online for about in watcher.where("ana", "bo")))
    a.process.send_signal(signal.SIGSTOP)
    again = several.connect(b, ana.key)
    assert again.log_in_by_key("ana", resume=1).session == 1
    until(lambda: not watcher.where("bo")[0].online, limits.NODE_SILENT_SECONDS + 7)
    a.process.send_signal(signal.SIGCONT)
    assert ended(ana) == []
    until(lambda: watcher.where("bo")[0].online, 5)
    assert again.ask(KeepAlive, Done)
    assert bo.where("ana")[0].online


@pytest.mark.parametrize("how", ["suspended", "killed"])
def test_without_redis_nobody_logs_in_anew_and_all_else_goes_on(several, how):
    a, b = several.start("a"), several.start("b")
    ana, bo, cy = several.connect(a), several.connect(a), several.connect(b)
    ana.register("ana")
    bo.register("bo")
    cy.register("cy")
    until(lambda: ana.where("cy")[0].online and all(about.online for about in cy.where("ana", "bo")))
    if how == "suspended":
        several.redis.suspend()
    else:
        several.redis.kill()
    newcomer = several.connect(a)
    refused = newcomer.register("dan", Refused)
    assert (refused.code, refused.retry_after) == (RefusalCode.REFUSED, limits.OUT_OF_TOUCH_SECONDS)
    assert refused.message == "This locator cannot reach its accounts right now. Try again in 5 s."
    assert newcomer.log_in("ana", Refused).message == refused.message
    assert [about.online for about in ana.watch("bo", "cy")] == [True, True], "what is known is answered"
    again = several.connect(a, bo.key)
    assert again.log_in_by_key("bo", resume=1).session == 1, "a session that is known goes on"
    elsewhere = several.connect(b, ana.key)
    assert elsewhere.log_in_by_key("ana", resume=1).session == 1, "at the other one, too"
    unknown = several.connect(a, newcomer.key)
    assert unknown.log_in_by_key("bo", Refused).retry_after, "nobody is turned away for good by what may be old"
    if how == "suspended":
        several.redis.resume()
    else:
        several.redis.start()
    until(lambda: isinstance(newcomer.try_to_register("dan"), LoggedIn), 10)
    assert ended(ana) == [], "Ana is where she came last"
    assert elsewhere.ask(KeepAlive, Done)
    until(lambda: all(about.online for about in cy.where("ana", "bo", "dan")), 5)
    assert all(about.online for about in again.where("ana", "cy", "dan"))


def test_a_first_login_on_the_course_port_is_answered_without_redis_and_taken_afterwards(several):
    place = ("127.0.0.1", free_port())
    several.start("a", "--course-port", "{}:{}".format(*place))
    assert several.users("add", "2026000001", typed="net2026\n").returncode == 0
    several.redis.kill()
    with socket.create_connection(place, 5) as course:
        course.sendall(b"2026000001_net2026")
        assert course.recv(100) == b"Please send the correct message."
        course.sendall(b"q2026000001")
        assert course.recv(100) == b"n"
        several.redis.start()

        def is_taken():
            course.sendall(b"2026000001_net2026")
            return course.recv(100) == b"lol"

        until(is_taken, 10)


def refusal_to_start(several, name, *flags):
    """Return what a locator says that does not start."""
    result = command(several.folder / name, "serve", "--no-announce", "--listen", "127.0.0.1:0", *flags)
    assert (result.returncode, result.stdout) == (1, "")
    (sentence,) = [line for line in result.stderr.splitlines() if " WARNING " not in line and " INFO " not in line]
    return sentence


def test_a_locator_stops_at_once_while_redis_hangs(several):
    place = ("127.0.0.1", free_port())
    metrics = ("--metrics", "{}:{}".format(*place))
    a = several.start("a", *metrics)
    several.redis.suspend()
    for _ in range(2):  # at once, and when it has noticed
        several.connect(a)  # and does not let go
        with socket.create_connection(place, 5) as scraper:
            scraper.sendall(b"GET /")  # and nothing more
            start = time.monotonic()
            assert a.stop() == 0
            assert time.monotonic() - start < 2
        several.redis.resume()
        a = several.start("a", *metrics)
        several.redis.suspend()
        until(lambda: "out of reach" in a.log, 10)  # noqa: B023 - called at once
    several.redis.resume()


def test_what_redis_forgot_is_forgotten_and_whoever_had_it_begins_anew(several):
    a = several.start("a")
    ana = several.connect(a)
    ana.register("ana")
    several.redis.kill()
    backup = several.folder / "backup"
    shutil.copytree(several.redis.folder, backup)
    several.redis.start()
    ana.ask(LogOut, Done)
    until(lambda: getattr(ana.log_in("ana", LoggedIn | Refused), "session", 0) == 2, 10)
    several.redis.kill()
    shutil.rmtree(several.redis.folder)
    shutil.copytree(backup, several.redis.folder)
    several.redis.start()
    assert ended(ana) == []
    again = several.connect(a, ana.key)
    assert again.log_in_by_key("ana", resume=2).session == 2, "as after a restored backup"


def test_an_emptied_redis_is_refused_at_the_start_and_by_those_who_run(several):
    a, b = several.start("a"), several.start("b")
    ana = several.connect(a)
    ana.register("ana")
    b.stop()
    flags = ("--store", several.redis.url, "--authority", str(several.authority))
    with several.redis.client() as client:
        client.flushall()
        assert "is empty, but the accounts of this locator were in it" in refusal_to_start(several, "b", *flags)
        until(
            lambda: several.connect(a).register("bo", Refused).code == RefusalCode.REFUSED, limits.NODE_BEAT_SECONDS + 1
        )
        assert ana.ask(KeepAlive, Done)
        assert "emptied" in a.log
        assert client.keys("*") == [], "nothing was written into it"
    new = several.start("new")
    assert "was emptied and begun anew" in refusal_to_start(several, "b", *flags)
    assert several.connect(a).register("bo", Refused).code == RefusalCode.REFUSED
    assert several.connect(new).register("bo").session == 1


def test_another_authority_is_refused_and_a_key_that_is_not_there_is_not_made(several):
    several.start("a")
    other = several.folder / "other.pem"
    flags = ("--store", several.redis.url, "--authority", str(other))
    assert "Copy it from another locator" in refusal_to_start(several, "b", *flags)
    assert not other.exists()
    RealLocator(several.folder / "alone", "--authority", str(other)).stop()
    assert "belongs to another authority" in refusal_to_start(several, "b", *flags)


def test_without_a_redis_a_locator_does_not_start_and_says_why(several):
    several.redis.kill()
    sentence = refusal_to_start(several, "a", "--store", several.redis.url, "--authority", str(several.authority))
    assert re.fullmatch(r"The Redis at 127\.0\.0\.1:\d+ is out of reach: connection refused\.", sentence)


@pytest.mark.parametrize(
    "several", [{"with_tls": True, "password": "s3cret-and-long", "append_only": False}], indirect=True
)
def test_tls_and_a_password_work_and_the_password_is_never_told(several):
    a, b = several.start("a"), several.start("b")
    several.connect(a).register("ana")
    until(lambda: several.connect(b).log_in("ana", LoggedIn | Refused).session == 2)
    assert several.users("show", "ana").returncode == 0
    assert "turn on its append-only file" in a.log
    several.redis.kill()
    until(lambda: "out of reach" in a.log, 5)
    wrong = several.redis.url.replace("s3cret", "wr0ng")
    several.redis.start()
    sentence = refusal_to_start(several, "c", "--store", wrong, "--authority", str(several.authority))
    unread = refusal_of(several, wrong.replace("rediss", "redisss"))
    for told in (a.log, b.log, sentence, unread):
        assert "and-long" not in told
    assert "does not take the user or the password" in sentence


def refusal_of(several, url) -> str:
    """Return what is said of an address that is none."""
    result = command(several.folder / "c", "serve", "--listen", "127.0.0.1:0", "--store", url, "--authority", "x")
    assert result.returncode == 2
    return result.stderr


def test_a_redis_whose_certificate_nobody_vouches_for_is_not_talked_to(tmp_path):
    real = RedisServer(tmp_path / "redis", with_tls=True, password="s3cret")
    try:
        url = real.url.partition("?")[0]
        flags = ("--listen", "127.0.0.1:0", "--store", url, "--authority", str(tmp_path / "key.pem"))
        result = command(tmp_path / "a", "serve", *flags)
        assert result.returncode == 1
        assert "nobody known vouches for its certificate" in result.stderr
    finally:
        real.close()
