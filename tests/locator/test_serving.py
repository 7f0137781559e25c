"""The real process on loopback, over real TLS."""

import os
import signal
import socket
import ssl
import stat
import subprocess
import time

import pytest

from protocol import limits
from protocol.certificates import Role, public_key_of_authority, read_certificate
from protocol.device_lists import open_device_list
from protocol.errors import RefusalCode
from protocol.framing import encode_frame
from protocol.identity import UserId
from protocol.locator_messages import (
    ALPN,
    LOCATOR,
    Done,
    KeepAlive,
    LogOut,
    Moved,
    Refused,
    Register,
    Superseded,
    Watch,
    Where,
    Whereabouts,
)
from tests.locator.real_locator import PASSWORD, Client, RealLocator


@pytest.fixture(scope="module")
def locator(tmp_path_factory):
    real = RealLocator(tmp_path_factory.mktemp("locator") / "data")
    yield real
    assert real.stop() == 0
    assert "Traceback" not in real.log


@pytest.fixture
def connect(locator):
    clients = []

    def connect_one(key=None, **options) -> Client:
        clients.append(Client(locator.place, key, **options))
        return clients[-1]

    yield connect_one
    for client in clients:
        client.socket.close()


# --- life of the process -----------------------------------------------------------------------------


def test_the_ready_line_is_the_link_to_hand_out(locator, connect):
    assert locator.ready_line.startswith("ready hail://127.0.0.1:")
    assert connect().greeted().realm.hex() == locator.link.partition("#")[2]


def test_the_key_is_for_its_owner_only(locator):
    for name in ("authority.pem", "accounts.sqlite3", "accounts.sqlite3-wal"):
        assert stat.S_IMODE((locator.data / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(locator.data.stat().st_mode) == 0o700


def test_a_killed_locator_forgets_nothing_and_keeps_its_port(tmp_path):
    first = RealLocator(tmp_path / "data")
    with first.connect().greeted() as ana, first.connect().greeted() as bo:
        ana.register("ana")
        bo.register("bo")
        first.stop(signal.SIGKILL)
    second = RealLocator(tmp_path / "data")
    assert second.link == first.link
    with second.connect(ana.key).greeted() as again, second.connect().greeted() as other:
        assert other.log_in("bo").session == 2
        assert not other.where("ana")[0].online
        resumed = again.log_in_by_key("ana", resume=1)
        authority_key = public_key_of_authority(ana.welcome.authority)
        assert open_device_list(authority_key, ana.realm, resumed.device_list).devices == (ana.key.device,)
        assert other.where("ana")[0].online
    second.stop(signal.SIGKILL)
    third = RealLocator(tmp_path / "data")
    with third.connect(bo.key).greeted() as again:
        assert again.log_in_by_key("bo", Refused, resume=1).code == RefusalCode.SUPERSEDED
    assert third.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_two_seconds_even_if_nobody_lets_go(tmp_path, number):
    real = RealLocator(tmp_path / "data")
    with real.connect().greeted() as ana, socket.create_connection(real.place):
        ana.register("ana")
        start = time.monotonic()
        assert real.stop(number) == 0
        assert time.monotonic() - start < 2
    assert "Traceback" not in real.log


# --- the handshake ---------------------------------------------------------------------------------


def test_the_locator_shows_its_role_and_its_authority(connect):
    client = connect().greeted()
    shown = read_certificate(client.certificate, client.welcome.authority)
    assert (shown.role, shown.user) == (Role.LOCATOR, None)
    assert client.socket.version() == "TLSv1.3"
    assert client.socket.selected_alpn_protocol() == ALPN


@pytest.mark.parametrize("alpn", [(), ("http/1.1",), ("hail-link/1",)])
def test_who_speaks_another_protocol_hears_nothing(connect, alpn):
    assert connect(alpn=alpn).receive() is None


def test_an_older_tls_is_refused(locator):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(locator.place) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain)


def test_clear_text_harms_nobody(locator, connect):
    with socket.create_connection(locator.place) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        plain.settimeout(5)
        while plain.recv(1024):
            pass
    assert connect().greeted()


# --- sessions --------------------------------------------------------------------------------------


def test_people_register_and_find_each_other(connect):
    ana, bo = connect().greeted(), connect().greeted()
    ana.register("find-ana")
    bo.register("find-bo")
    found, nobody = bo.where("find-ana", "find-nobody")
    assert (found.online, found.addresses, found.listen_port, found.voice_port) == (True, ("127.0.0.1",), 7500, 7501)
    assert (nobody.online, nobody.known) == (False, False)


def test_requests_before_a_login_are_refused_and_the_connection_stays(connect):
    client = connect().greeted()
    refused = client.ask(lambda tag: Where(tag, (UserId("ana"),)), Refused)
    assert refused.code == RefusalCode.NOT_SIGNED_IN
    assert client.register("before-login").session == 1


def test_a_wrong_password_and_an_unknown_id_take_the_same_time(connect):
    connect().greeted().register("timing")
    client = connect().greeted()

    def fastest(user):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            assert client.log_in(user, Refused, password="wrong password").code == RefusalCode.WRONG_PASSWORD
            times.append(time.perf_counter() - start)
        return min(times)

    assert 0.4 < fastest("timing") / fastest("timing-nobody") < 2.5


def test_a_takeover_is_told_before_the_hang_up(connect):
    old, new = connect().greeted(), connect().greeted()
    old.register("takeover")
    assert new.log_in("takeover").session == 2
    assert old.expect(Superseded).session == 2
    assert old.receive() is None
    late = connect(old.key).greeted()
    assert late.log_in_by_key("takeover", Refused, resume=1).code == RefusalCode.SUPERSEDED
    assert new.ask(KeepAlive, Done)


def test_a_watcher_hears_of_a_logout_at_once_and_of_a_loss_after_the_grace(connect):
    ana, bo = connect().greeted(), connect().greeted()
    bo.register("watch-bo")
    bo.watch("watch-ana")
    ana.register("watch-ana")
    assert bo.expect(Moved).about.online
    start = time.monotonic()
    ana.ask(LogOut, Done)
    assert not bo.expect(Moved).about.online
    assert time.monotonic() - start < 0.5
    assert ana.log_in("watch-ana").session == 2
    assert bo.expect(Moved).about.online
    ana.socket.close()
    assert bo.hears_nothing(1.5)
    assert not bo.expect(Moved).about.online


def test_a_quick_reconnect_is_not_told(connect):
    ana, bo = connect().greeted(), connect().greeted()
    ana.register("flap-ana")
    bo.register("flap-bo")
    bo.watch("flap-ana")
    ana.socket.close()
    assert connect(ana.key).greeted().log_in_by_key("flap-ana", resume=1).certificate == b""
    assert bo.hears_nothing(2.5)


# --- bad clients -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        (limits.LOCATOR_REQUEST_FRAME + 1).to_bytes(4, "big") + b"\x01\x07" + bytes(100_000),
        os.urandom(200_000).replace(b"\0", b"\xff"),
        b"\0\0\0\2\1\7\xc1\xc1",
        LOCATOR.encode(Done(1)),
        encode_frame(0x0107, b"\x91" * 8_000),
        encode_frame(0x0107, b"\xdd\xff\xff\xff\xff"),
    ],
    ids=["oversized", "garbage", "malformed", "no request", "nested", "an array of four billion"],
)
def test_a_bad_frame_ends_one_connection_and_nothing_else(locator, connect, broken):
    good, bad = connect().greeted(), connect().greeted()
    good.register("good")
    try:
        bad.socket.sendall(broken)
        assert bad.receive() is None
    except (ConnectionError, ssl.SSLError):
        pass  # hung up on while still talking
    assert good.ask(KeepAlive, Done)
    assert "event=hung_up address=127.0.0.1" in locator.log
    good.ask(LogOut, Done)


def test_a_frame_cut_short_harms_nobody(connect):
    good, bad = connect().greeted(), connect().greeted()
    good.register("cut-good")
    bad.socket.sendall(LOCATOR.encode(Where(1, (UserId("ana"),)))[:-3])
    bad.socket.close()
    assert good.ask(KeepAlive, Done)


def test_who_falls_silent_for_good_in_the_middle_of_a_frame_harms_nobody(connect):
    good, bad = connect().greeted(), connect().greeted()
    good.register("half-good")
    bad.socket.sendall(LOCATOR.encode(Where(1, (UserId("ana"),)))[:-3])
    bad.socket.unwrap().shutdown(socket.SHUT_WR)
    assert good.ask(KeepAlive, Done)


def test_ten_thousand_watches_are_refused_and_the_first_thousand_stay(connect):
    client = connect().greeted()
    client.register("watching")
    client.watch(*(f"watched-{number}" for number in range(limits.USERS_PER_QUESTION)))
    for start in range(1_000, 10_000, limits.USERS_PER_QUESTION):
        users = tuple(UserId(f"watched-{number}") for number in range(start, start + limits.USERS_PER_QUESTION))
        assert client.ask(lambda tag, users=users: Watch(tag, users), Refused).code == RefusalCode.TOO_MANY
    connect().greeted().register("watched-7")
    assert client.expect(Moved).about.online


def test_a_full_disk_is_told_in_plain_words_and_who_is_there_stays(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    small_disk = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=500k none "$0" && exec "$@"', str(data))
    try:
        subprocess.run([*small_disk, "true"], check=True, capture_output=True, timeout=5)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk of one's own can be made here")
    real = RealLocator(data, inside=small_disk)
    with real.connect().greeted() as ana, real.connect().greeted() as others:
        ana.register("ana")
        for number in range(500):
            answer = others.register(f"person-{number}", kind=object)
            if isinstance(answer, Refused):
                break
            others.ask(LogOut, Done)
        assert (answer.code, answer.message[-1]) == (RefusalCode.DISK_FULL, ".")
        assert ana.where("ana")[0].online
        with real.connect(ana.key).greeted() as again:
            assert again.log_in_by_key("ana", resume=1)
    assert real.stop() == 0
    assert "Traceback" not in real.log


def test_a_thousand_questions_in_one_go_are_all_answered(connect):
    client = connect().greeted()
    client.register("many")
    users = tuple(UserId(f"user-{number}") for number in range(limits.USERS_PER_QUESTION))
    client.socket.sendall(b"".join(LOCATOR.encode(Where(tag, users)) for tag in range(40)))
    assert [len(client.expect(Whereabouts).about) for _ in range(40)] == [limits.USERS_PER_QUESTION] * 40


def test_many_log_in_at_once(locator, connect):
    clients = [connect().greeted() for _ in range(30)]
    for number, client in enumerate(clients):
        client.send(Register(1, UserId(f"crowd-{number}"), PASSWORD, "X", client.key.public, client.endpoint))
    assert [client.receive().session for client in clients] == [1] * 30
