"""`hail-locator` as an operator types it."""

import signal
import socket
import subprocess
import sys
import time

import pytest

from locator.__main__ import main
from protocol.errors import RefusalCode
from protocol.locator_messages import ChangePassword, Moved, PasswordChanged, Refused, Where
from tests.locator.real_locator import PASSWORD, RealLocator, command


@pytest.fixture(autouse=True)
def _same_umask(monkeypatch):
    """The command changes the process's umask, which is the test run's where it runs in here."""
    monkeypatch.setattr("os.umask", lambda _: 0)


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def locator(data):
    real = RealLocator(data)
    yield real
    assert real.stop() == 0


def test_accounts_are_added_and_listed_without_a_server(data):
    assert command(data, "users", "add", "Ana", "--name", "Ana 安娜", typed="1\n").returncode == 0
    assert command(data, "users", "add", "bo", typed="secret\n").returncode == 0
    listed = command(data, "users", "list")
    assert listed.stdout.splitlines() == [
        "ID   NAME      DEVICES  SESSION",
        "ana  Ana 安娜        0        0",
        "bo   bo              0        0",
    ]


def test_the_data_folder_may_be_named_before_or_after_the_verbs(data, capsys):
    for words in (["--data", str(data), "users", "list"], ["users", "--data", str(data), "list"]):
        assert main(words) == 0
    assert main(["users", "list", "--data", str(data)]) == 0
    assert capsys.readouterr().out.count("DEVICES") == 3


@pytest.mark.parametrize(
    ("words", "typed", "sentence"),
    [
        (("users", "add", "ana"), "secret\n", "has an account already"),
        (("users", "password", "nobody"), "secret\n", "There is no account nobody"),
        (("users", "add", "cy"), "", "at least one character"),
        (("users", "add", "cy"), "x" * 1025 + "\n", "at most 1024 characters"),
        (("users", "add", "cy", "--name", "\u202e"), "secret\n", "Choose another name"),
        (("address",), "", "No locator has served"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(data, words, typed, sentence):
    command(data, "users", "add", "ana", typed="secret\n")
    done = command(data, *words, typed=typed)
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("dance",),
        ("users",),
        ("users", "import"),
        ("users", "burn", "ana"),
        ("users", "add", "no spaces"),
        ("serve", "--listen", "nowhere"),
        ("serve", "--registration", "maybe"),
        ("serve", "--store", "redis://x"),
        ("serve", "--store", "postgres://x", "--authority", "x"),
        ("address", "--config", "none.toml"),
    ],
)
def test_wrong_usage_has_its_own_exit_code(data, words, capsys):
    assert run_here("--data", str(data), *words) == 2
    told = capsys.readouterr()
    assert (told.out, bool(told.err)) == ("", True)


def test_a_single_locator_does_without_the_client_library_of_a_shared_store(data):
    without = "import sys; sys.modules['redis'] = None; from locator.__main__ import main; sys.exit(main())"

    def run(*words: str):
        line = [sys.executable, "-c", without, *words, "--data", str(data)]
        return subprocess.run(line, input="secret\n", capture_output=True, text=True, timeout=10, check=False)

    assert run("users", "add", "ana").returncode == 0
    done = run("users", "list", "--store", "redis://127.0.0.1:1")
    assert (done.returncode, done.stderr) == (
        1,
        "A shared store needs the client library for Redis: pip install 'hail[redis]'.\n",
    )


@pytest.mark.parametrize(
    "words", [("serve",), ("users", "add"), ("users", "list"), ("users", "password"), ("address",)]
)
def test_the_help_of_every_verb_has_an_example(words, capsys):
    assert run_here(*words, "--help") == 0
    assert f"Example: hail-locator {' '.join(words)}" in capsys.readouterr().out


def run_here(*words):
    """Run the command in this process, for what ends before it does anything."""
    try:
        return main(words)
    except SystemExit as end:
        return end.code


def test_the_address_is_the_one_that_was_given_out(data, locator):
    assert command(data, "address").stdout == locator.link + "\n"


def test_an_added_user_can_log_in_within_a_second(data, locator):
    with locator.connect().greeted() as bo, locator.connect().greeted() as ana:
        bo.register("bo")
        bo.watch("ana")
        command(data, "users", "add", "ana", typed="1\n")
        bo.socket.settimeout(1)
        assert bo.expect(Moved).about.known
        assert ana.log_in("ana", password="1").session == 1


def test_a_new_password_by_the_operator_ends_live_sessions_within_a_second(data, locator):
    with locator.connect().greeted() as ana, locator.connect().greeted() as other:
        ana.register("ana")
        assert command(data, "users", "password", "ana", typed="new\n").returncode == 0
        start = time.monotonic()
        assert ana.receive() is None
        assert time.monotonic() - start < 1
        assert other.log_in("ana", Refused, password=PASSWORD).code == RefusalCode.WRONG_PASSWORD
        assert other.log_in("ana", password="new").session == 2
    assert command(data, "users", "list").stdout.splitlines()[1].split() == ["ana", "Somebody", "1", "2"]


def test_a_second_server_on_the_same_folder_is_refused(data, locator):
    second = command(data, "serve", "--listen", "127.0.0.1:0")
    assert second.returncode == 1
    assert second.stderr.startswith("Another locator already serves from")
    assert len(second.stderr.splitlines()) == 1


def test_a_port_in_use_is_told_in_one_sentence(data):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command(data, "serve", "--listen", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert done.stderr == f"Port {port} is in use by another program. Stop that, or choose another with --listen.\n"


def test_a_kept_port_that_is_taken_is_replaced(data):
    first = RealLocator(data)
    first.stop()
    with socket.create_server(first.place):
        second = RealLocator(data)
    assert second.stop() == 0
    assert second.place != first.place


def test_settings_come_from_variables_and_a_file_too(data, tmp_path):
    file = tmp_path / "locator.toml"
    file.write_text(f'data = "{data.as_posix()}"\nlisten = "127.0.0.1:0"\npublic = "chat.example:80"')
    process = subprocess.Popen(
        [sys.executable, "-m", "locator", "serve", "--no-announce", "--config", str(file)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline().startswith("ready hail://chat.example:80#")
    process.terminate()
    assert process.wait(5) == 0
    process.stdout.close()
    assert command(None, "address", HAIL_LOCATOR_DATA=str(data)).stdout.startswith("hail://chat.example:80#")


def test_a_damaged_authority_is_told_plainly(data):
    RealLocator(data).stop()
    (data / "authority.pem").write_text("nonsense")
    done = command(data, "serve", "--listen", "127.0.0.1:0")
    assert done.returncode == 1
    assert "authority's key" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_authority_that_is_gone_is_not_replaced_by_another(data, tmp_path):
    RealLocator(data).stop()
    (data / "authority.pem").rename(tmp_path / "key.pem")
    done = command(data, "serve", "--listen", "127.0.0.1:0")
    assert done.returncode == 1
    assert "Put a copy of its key there" in done.stderr
    assert not (data / "authority.pem").exists()
    again = RealLocator(data, "--authority", str(tmp_path / "key.pem"))
    assert again.stop() == 0


def test_closed_registration_is_told_in_the_welcome(data):
    real = RealLocator(data, "--registration", "closed")
    with real.connect().greeted() as client:
        assert not client.welcome.registration_open
        assert client.register("ana", Refused).code == RefusalCode.REGISTRATION_CLOSED
    assert real.stop() == 0


def test_status_and_stop_speak_of_the_server_on_the_same_folder(tmp_path):
    none = command(tmp_path / "data", "status")
    assert (none.returncode, none.stdout) == (1, "")
    assert "No locator serves" in none.stderr
    locator = RealLocator(tmp_path / "data")
    assert command(tmp_path / "data", "status").stdout == f"serving {locator.link}\n"
    stopped = command(tmp_path / "data", "stop")
    assert (stopped.returncode, stopped.stderr) == (0, "")
    assert locator.process.wait(5) == 0
    locator.process.stdout.close()
    assert command(tmp_path / "data", "stop").returncode == 1


def test_status_of_a_killed_server_says_that_none_serves(tmp_path):
    locator = RealLocator(tmp_path / "data")
    locator.stop(signal.SIGKILL)
    assert command(tmp_path / "data", "status").returncode == 1


# --- shutting out, and taking away ---------------------------------------------------------------


def test_a_disabled_account_is_shut_out_within_a_second_and_let_in_again(locator, data):
    for user in ("ana", "bo"):
        command(data, "users", "add", user, typed=PASSWORD + "\n")
    with locator.connect().greeted() as ana, locator.connect().greeted() as bo:
        time.sleep(0.5)  # the locator looks at the accounts four times a second
        ana.log_in("ana")
        bo.log_in("bo")
        bo.watch("ana")
        assert command(data, "users", "disable", "ana").returncode == 0
        done = time.monotonic()
        moved = bo.expect(Moved).about
        assert time.monotonic() - done < 1
        assert not moved.online
        assert moved.device_list is not None
        assert ana.receive() is None
    with locator.connect().greeted() as ana:
        assert ana.log_in("ana", Refused).code == RefusalCode.ACCOUNT_DISABLED
    with locator.connect().greeted() as ana:
        refused = ana.log_in("ana", Refused, password="a guess")
        assert refused.code == RefusalCode.WRONG_PASSWORD, "only who knows the password learns of it"
    assert "disabled" in command(data, "users", "list").stdout
    assert command(data, "users", "enable", "ana").returncode == 0
    time.sleep(0.5)
    with locator.connect().greeted() as ana:
        ana.log_in("ana")


def test_an_account_that_was_removed_is_gone_and_its_id_is_free(data):
    command(data, "users", "add", "ana", typed="1\n")
    assert "name      ana" in command(data, "users", "show", "ana").stdout
    assert command(data, "users", "remove", "ana").returncode == 0
    assert "There is no account ana" in command(data, "users", "show", "ana").stderr
    assert command(data, "users", "add", "ana", typed="1\n").returncode == 0


@pytest.mark.parametrize("verb", ["show", "disable", "enable", "remove", "password"])
def test_nobody_can_be_changed_who_is_not_there(data, verb):
    done = command(data, "users", verb, "nobody", typed="1\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "There is no account nobody. To make one: hail-locator users add nobody\n"


def test_a_class_list_is_imported_row_by_row_and_twice_changes_nothing(data, tmp_path):
    roster = tmp_path / "class.csv"
    roster.write_bytes("学号;姓名;密码\n2026000001;陈小雨;x1\n2026000002;;x2\nno good;Eve;x3\n".encode("gbk"))
    done = command(data, "users", "import", str(roster))
    assert done.stdout.splitlines() == [
        "line 2: 2026000001 added",
        "line 3: 2026000002 added",
        "line 4: skipped: 'no good' is no ID: " + done.stdout.split("is no ID: ")[1].splitlines()[0],
        "2 added, 0 unchanged, 1 skipped",
    ]
    before = command(data, "users", "list").stdout
    assert "陈小雨" in before
    again = command(data, "users", "import", str(roster))
    assert again.stdout.splitlines()[-1] == "0 added, 2 unchanged, 1 skipped"
    assert command(data, "users", "list").stdout == before


def test_one_password_for_all_may_be_typed_or_given(data, tmp_path):
    roster = tmp_path / "class.csv"
    roster.write_text("id,name\nana,Ana\nbo,Bo\n")
    assert command(data, "users", "import", str(roster)).stdout.splitlines()[-1] == "0 added, 0 unchanged, 2 skipped"
    done = command(data, "users", "import", str(roster), "--password", typed="class 3\n")
    assert done.stdout.splitlines()[-1] == "2 added, 0 unchanged, 0 skipped"


def test_a_file_that_is_no_roster_changes_nothing(data, tmp_path):
    roster = tmp_path / "class.csv"
    roster.write_bytes(b"\xff\x00\x01" * 100)
    done = command(data, "users", "import", str(roster))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert command(data, "users", "import", str(tmp_path / "none.csv")).returncode == 1


# --- passwords that must be changed --------------------------------------------------------------


def test_an_operators_password_may_be_good_for_one_change_only(data, tmp_path, locator):
    roster = tmp_path / "class.csv"
    roster.write_text("id,name,password\nana,Ana,one\n2026000001,Bo,two\n")
    assert command(data, "users", "import", str(roster), "--must-change").returncode == 0
    command(data, "users", "add", "cy", "--must-change", typed="three\n")
    command(data, "users", "add", "di", typed="four\n")
    told = {
        line.split()[0]: "must change password" in line for line in command(data, "users", "list").stdout.splitlines()
    }
    assert told == {"ID": False, "2026000001": True, "ana": True, "cy": True, "di": False}
    assert "password  must be changed" in command(data, "users", "show", "ana").stdout
    time.sleep(0.5)  # the locator looks at the accounts four times a second
    with locator.connect().greeted() as ana:
        assert ana.log_in("ana", password="one").must_change_password
        assert ana.ask(lambda tag: Where(tag, ()), Refused).code == RefusalCode.MUST_CHANGE_PASSWORD
        ana.ask(lambda tag: ChangePassword(tag, "one", PASSWORD), PasswordChanged)
        assert ana.where("di")[0].known
        assert "password  set" in command(data, "users", "show", "ana").stdout
        command(data, "users", "password", "ana", "--must-change", typed="five\n")
        assert ana.receive() is None, "its session ends"
    with locator.connect().greeted() as ana:
        assert ana.log_in("ana", password="five").must_change_password
