"""Three real processes, a locator and two peers, as scripts and bots use them."""

import contextlib
import socket
import subprocess
import sys
import time

import pytest

from peer.voice.limits import VOICE_PORTS_TRIED
from tests.harness.processes import PASSWORD, LocatorProcess, PeerProcess, RpcRefusal, Three, befriend, texts_of


def refused(peer: PeerProcess, method: str, **params: object) -> str:
    with pytest.raises(RpcRefusal) as refusal:
        peer.call(method, **params)
    assert refusal.value.message.strip(), "a refusal says in words what to do"
    assert "Traceback" not in refusal.value.message
    return refusal.value.code


def test_two_friends_exchange_texts_and_see_them_delivered_and_read(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    conversation = befriend(ana, bo, "ana", "bo")
    for text in ("Hello Bo!", "你好,今天的作业写完了吗?", "👍🏽 👨‍👩‍👧"):
        sent = ana.call("messages.send", conversation=conversation, text=text)
        arrived = bo.wait_for("message_arrived", lambda e, entry=sent["entry"]: e["message"]["entry"] == entry)
        assert arrived["message"]["text"] == text
        assert arrived["message"]["author_name"] == "Ana"
        ana.wait_for("message_delivered", lambda e, entry=sent["entry"]: e["message"]["entry"] == entry)
    bo.call("messages.read", conversation=conversation, entry=sent["entry"])
    read = ana.wait_for("message_read", lambda e: e["message"]["entry"] == sent["entry"])
    assert read["message"]["state"] == "read"
    assert [m["state"] for m in ana.call("messages.list", conversation=conversation)] == ["read"] * 3
    assert [c["unread"] for c in bo.call("conversations.list")] == [0]


def test_texts_to_somebody_offline_arrive_in_order_after_restarts_of_everybody(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    conversation = befriend(ana, bo, "ana", "bo")
    bo.close()
    ana.wait_for("presence_changed", lambda e: not e["presence"]["online"])
    texts = [f"while you were away {number}" for number in range(20)]
    for text in texts[:10]:
        ana.call("messages.send", conversation=conversation, text=text)
    ana.kill()
    three_processes.locator.kill()
    ana = three_processes.peer("ana")
    status = ana.call("session.login", locator=three_processes.locator.link, user="ana", password=PASSWORD)
    assert status["connected"] is False, "the right password opens the profile without the locator"
    for text in texts[10:]:
        ana.call("messages.send", conversation=conversation, text=text)
    ana.close()
    three_processes.locator.start()
    ana, bo = three_processes.log_in("ana"), three_processes.log_in("bo")
    bo.wait_for("message_arrived", lambda e: e["message"]["text"] == texts[-1])
    assert texts_of(bo, conversation) == texts
    assert texts_of(ana, conversation) == texts


def test_friends_go_on_talking_while_the_locator_is_down(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    conversation = befriend(ana, bo, "ana", "bo")
    three_processes.locator.kill()
    ana.wait_for("disconnected")
    ana.call("messages.send", conversation=conversation, text="no locator needed")
    bo.wait_for("message_arrived", lambda e: e["message"]["text"] == "no locator needed")
    assert refused(ana, "where", users=["bo"]) == "locator_unreachable"
    three_processes.locator.start()
    ana.wait_for("connected", lambda e: e["session"]["connected"], wait=30)


def test_a_peer_that_is_killed_is_noticed_and_found_again(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    conversation = befriend(ana, bo, "ana", "bo")
    bo.kill()
    ana.events.clear()
    start = time.monotonic()
    ana.wait_for("presence_changed", lambda e: not e["presence"]["online"], wait=15)
    assert time.monotonic() - start < 10
    ana.call("messages.send", conversation=conversation, text="come back")
    bo = three_processes.log_in("bo")
    bo.wait_for("message_arrived", lambda e: e["message"]["text"] == "come back")


def test_every_wrong_sign_in_has_its_code(three_processes: Three) -> None:
    ana = three_processes.registered("ana")
    other = three_processes.peer("other")
    locator = three_processes.locator.link
    sign_in = {"locator": locator, "user": "ana", "password": PASSWORD}
    assert refused(ana, "session.login", **sign_in) == "already_signed_in"
    assert refused(other, "session.login", **sign_in | {"password": "wrong horse"}) == "wrong_password"
    assert refused(other, "session.login", **sign_in | {"user": "nobody"}) == "wrong_password"
    assert refused(other, "session.login", **sign_in | {"user": "no body"}) == "bad_user_id"
    assert refused(other, "session.login", **sign_in | {"locator": "what is this"}) == "bad_address"
    assert refused(other, "session.login", **sign_in | {"locator": "127.0.0.1:1"}) == "locator_unreachable"
    strange = locator.split("#")[0] + "#" + "ab" * 32
    assert refused(other, "session.login", **sign_in | {"locator": strange}) == "other_authority"
    register = sign_in | {"name": "Ana"}
    assert refused(other, "session.register", **register | {"password": "another one"}) == "name_taken"
    assert refused(other, "session.register", **register | {"user": "bo", "password": "short"}) == "weak_password"
    assert refused(other, "session.register", **register | {"user": "bo", "name": "\u202e\u200b"}) == "bad_name"
    assert refused(other, "contacts.list") == "not_signed_in"
    assert not list((three_processes.folder / "other").glob("accounts/*")), "a refused sign-in leaves no files"


def test_a_port_in_use_and_an_account_already_open_are_told_apart(three_processes: Three) -> None:
    ana = three_processes.registered("ana")
    port = ana.call("session.status")["listen_port"]
    bo = three_processes.peer("bo")
    register = {"locator": three_processes.locator.link, "user": "bo", "password": PASSWORD, "name": "Bo"}
    assert refused(bo, "session.register", **register, listen_port=port) == "port_in_use"
    second = three_processes.peer("ana")
    login = {"locator": three_processes.locator.link, "user": "ana", "password": PASSWORD}
    assert refused(second, "session.login", **login) == "profile_in_use"
    ana.close()
    assert second.call("session.login", **login)["listen_port"] == port, "the port is kept"


def test_the_voice_port_is_told_kept_and_given_back(three_processes: Three) -> None:
    ana = three_processes.registered("ana")
    was = ana.call("session.status")
    assert was["listen_port"] < was["voice_port"] <= was["listen_port"] + VOICE_PORTS_TRIED
    bo = three_processes.peer("bo")
    register = {"locator": three_processes.locator.link, "user": "bo", "password": PASSWORD, "name": "Bo"}
    another = bo.call("session.register", **register, voice_port=was["voice_port"])["voice_port"]
    assert another > was["voice_port"]
    assert [about["voice_port"] for about in ana.call("where", users=["bo", "ana"])] == [another, was["voice_port"]]
    ana.call("session.logout")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", was["voice_port"]))
    login = {"locator": three_processes.locator.link, "user": "ana", "password": PASSWORD}
    assert ana.call("session.login", **login)["voice_port"] == was["voice_port"]


def test_another_authority_at_the_known_address_is_refused(three_processes: Three) -> None:
    ana = three_processes.registered("ana")
    ana.close()
    place = three_processes.locator.link.removeprefix("hail://").split("#")[0]
    three_processes.locator.stop()
    impostor = LocatorProcess(three_processes.folder / "impostor", listen=place)
    try:
        ana = three_processes.peer("ana")
        login = {"locator": place, "user": "ana", "password": PASSWORD}
        assert refused(ana, "session.login", **login) == "other_authority"
    finally:
        impostor.stop()


def test_wrong_friend_requests_have_their_codes(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    assert refused(ana, "contacts.ask", user="ana") == "yourself"
    assert refused(ana, "contacts.ask", user="nobody") == "unknown_user"
    assert refused(ana, "contacts.ask", user="!") == "bad_user_id"
    assert refused(ana, "contacts.accept", user="bo") == "not_asked"
    ana.call("contacts.ask", user="bo", note="from class 3")
    assert refused(ana, "contacts.ask", user="bo") == "already_asked"
    asked = bo.wait_for("contact_asked")
    assert asked["contact"]["note"] == "from class 3"
    conversation = ana.call("conversations.open", user="bo")["conversation"]
    assert refused(ana, "messages.send", conversation=conversation, text="too early") == "not_a_friend"
    bo.call("contacts.decline", user="ana")
    ana.wait_for("contact_changed", lambda e: e["contact"]["state"] == "declined")
    ana.call("contacts.ask", user="bo", note="please")
    bo.wait_for("contact_asked", lambda e: e["contact"]["note"] == "please")
    bo.call("contacts.ask", user="ana")
    ana.wait_for("contact_accepted")
    assert refused(ana, "contacts.ask", user="bo") == "already_friends"
    assert refused(ana, "messages.send", conversation=conversation, text="  ") == "empty_message"
    assert refused(ana, "messages.send", conversation=conversation, text="x" * 70_000) == "too_large"
    assert refused(ana, "messages.send", conversation="00" * 32, text="hi") == "unknown_conversation"


def test_two_who_ask_each_other_while_apart_become_friends(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    bo.close()
    ana.call("contacts.ask", user="bo")
    ana.close()
    bo = three_processes.log_in("bo")
    bo.call("contacts.ask", user="ana")
    ana = three_processes.log_in("ana")
    ana.wait_for("contact_accepted")
    bo.wait_for("contact_accepted")


def test_somebody_blocked_gets_silence(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    conversation = befriend(ana, bo, "ana", "bo")
    bo.call("contacts.block", user="ana")
    sent = ana.call("messages.send", conversation=conversation, text="are you there?")
    assert sent["state"] == "stored"
    assert texts_of(bo, conversation) == []
    bo.call("contacts.unblock", user="ana")
    bo.wait_for("message_arrived", lambda e: e["message"]["text"] == "are you there?", wait=40)


def test_signing_in_elsewhere_supersedes_this_device_until_a_click(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    befriend(ana, bo, "ana", "bo")
    laptop = three_processes.peer("laptop")
    laptop.call("session.login", locator=three_processes.locator.link, user="ana", password=PASSWORD)
    ana.wait_for("superseded")
    status = ana.call("session.status")
    assert (status["superseded"], status["connected"]) == (True, False)
    changed = bo.wait_for("contact_changed", lambda e: e["contact"]["new_device"])
    assert changed["contact"]["user"] == "ana", "a new device waits until a person confirms it"
    assert laptop.call("conversations.list") == []
    bo.call("contacts.confirm_device", user="ana")
    laptop.wait_for("contact_accepted", wait=40)
    ana.call("session.resume")
    laptop.wait_for("superseded")


def test_garbage_on_standard_input_is_answered_and_harms_nothing(three_processes: Three) -> None:
    ana = three_processes.peer("ana")
    assert ana.process.stdin is not None
    for line in (b"garbage\n", b"[]\n", b'{"id": 1}\n', b"\xff\xfe\n", b"x" * 2_000_000 + b"\n", b"[" * 5000 + b"\n"):
        ana.process.stdin.write(line)
    ana.process.stdin.flush()
    assert ana.call("session.status") is None
    with pytest.raises(RpcRefusal, match="no method"):
        ana.call("garbage.start", conversation="x")
    with pytest.raises(RpcRefusal, match="Wrong parameters"):
        ana.call("where", users="ana")
    assert ana.close() == 0


def test_hundreds_of_half_open_connections_do_not_keep_a_friend_out(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    conversation = befriend(ana, bo, "ana", "bo")
    port = ana.call("session.status")["listen_port"]
    bo.close()
    with contextlib.ExitStack() as opened:
        for number in range(300):
            half_open = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            if number % 3:
                with contextlib.suppress(OSError):
                    half_open.sendall(b"HL1\n"[: number % 3 * 2] + b"\xff" * 50 * (number % 2))
        ana.call("messages.send", conversation=conversation, text="through the crowd")
        bo = three_processes.log_in("bo")
        bo.wait_for("message_arrived", lambda e: e["message"]["text"] == "through the crowd", wait=30)


def test_a_changed_password_opens_the_profile_and_the_old_one_does_not(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    conversation = befriend(ana, bo, "ana", "bo")
    ana.call("messages.send", conversation=conversation, text="before")
    assert refused(ana, "session.change_password", old="wrong horse", new="battery staple") == "wrong_password"
    assert refused(ana, "session.change_password", old=PASSWORD, new="short") == "weak_password"
    assert ana.call("session.change_password", old=PASSWORD, new="battery staple") is None
    ana.close()
    ana = three_processes.peer("ana")
    login = {"locator": three_processes.locator.link, "user": "ana"}
    assert refused(ana, "session.login", **login, password=PASSWORD) == "wrong_password"
    assert ana.call("session.login", **login, password="battery staple")["connected"]
    assert texts_of(ana, conversation) == ["before"]
    ana.call("session.logout")
    three_processes.locator.kill()
    assert ana.call("session.login", **login, password="battery staple")["connected"] is False


def test_a_script_is_told_that_the_password_must_be_changed_and_changes_it(three_processes: Three) -> None:
    users = [sys.executable, "-m", "locator", "users", "--data", str(three_processes.locator.data)]
    subprocess.run([*users, "add", "ana", "--must-change"], input=b"given out\n", check=True, capture_output=True)
    time.sleep(0.6)  # the locator looks at the accounts four times a second
    ana = three_processes.peer("ana")
    login = {"locator": three_processes.locator.link, "user": "ana", "password": "given out"}
    assert ana.call("session.login", **login)["must_change_password"]
    assert refused(ana, "where", users=["ana"]) == "must_change_password"
    assert ana.call("session.change_password", old="given out", new=PASSWORD) is None
    assert ana.call("where", users=["ana"])[0]["online"]
    assert not ana.call("session.status")["must_change_password"]


def test_an_operators_new_password_ends_the_session_and_says_what_to_do(three_processes: Three) -> None:
    ana = three_processes.registered("ana")
    command = [sys.executable, "-m", "locator", "users", "--data", str(three_processes.locator.data), "password", "ana"]
    subprocess.run(command, input=b"another password\n", check=True, capture_output=True)
    ana.wait_for("disconnected", lambda e: e["code"] == "unknown_device")
    status = ana.call("session.status")
    assert (status["connected"], status["must_sign_in"]) == (False, True)
