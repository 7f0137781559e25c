"""Calls between real programs with real voice processes: by rpc, on a computer without any sound device."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.harness.processes import PASSWORD, PeerProcess, Three, befriend


def talking(three: Three) -> tuple[PeerProcess, PeerProcess, str]:
    """Return two friends who talk, and the call."""
    ana, bo = three.registered("ana"), three.registered("bo")
    call: str = ana.call("calls.start", conversation=befriend(ana, bo, "ana", "bo"))["call"]
    bo.call("calls.answer", call=bo.wait_for("call_ringing")["call"]["call"])
    for person in (ana, bo):
        person.wait_for("call_started")
    return ana, bo, call


def programs_of(peer: PeerProcess) -> list[int]:
    """Return a peer's process and those that it started."""
    pid = peer.process.pid
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def test_two_friends_talk_by_rpc_and_hang_up(three_processes: Three) -> None:
    ana, bo = three_processes.registered("ana"), three_processes.registered("bo")
    conversation = befriend(ana, bo, "ana", "bo")
    call = ana.call("calls.start", conversation=conversation)
    assert (call["with"], call["is_incoming"]) == ("bo", False)
    rung = bo.wait_for("call_ringing")["call"]
    assert (rung["call"], rung["with"], rung["state"]) == (call["call"], "ana", "ringing")
    ana.wait_for("call_ringing")
    bo.call("calls.answer", call=rung["call"])
    for person in (ana, bo):
        started = person.wait_for("call_started")["call"]
        assert (started["state"], started["people"][0]["state"]) == ("active", "active")
    ana.wait_for("call_changed", lambda e: e["call"]["people"][0]["quality"] > 0)
    statistics = ana.call("calls.statistics", call=call["call"])
    assert statistics["path"] == "udp"
    assert 0 <= statistics["loss"] < 0.5
    bo.call("calls.mute", call=rung["call"], muted=True)
    ana.wait_for("call_changed", lambda e: e["call"]["people"][0]["is_muted"])
    assert [each["state"] for each in bo.call("calls.list")] == ["active"]
    assert ana.call("calls.hang_up", call=call["call"])["reason"] == "hung_up"
    assert bo.wait_for("call_ended")["call"]["reason"] == "hung_up"
    assert ana.call("calls.list") == bo.call("calls.list") == []


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="finds the programs in /proc")
def test_a_node_that_stands_still_while_its_voice_goes_on_stays_in_the_call(three_processes: Three) -> None:
    ana, bo, call = talking(three_processes)
    node, *_ = programs_of(bo)
    os.kill(node, signal.SIGSTOP)
    time.sleep(20)
    assert [each["state"] for each in ana.call("calls.list")] == ["active"]
    assert ana.call("session.status")["links"] == 0, "its link is dead long since"
    os.kill(node, signal.SIGCONT)
    bo.call("calls.mute", call=call, muted=True)
    ana.wait_for("call_changed", lambda e: e["call"]["people"][0]["is_muted"])
    ana.call("calls.hang_up", call=call)
    assert bo.wait_for("call_ended")["call"]["reason"] == "hung_up"


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="finds the programs in /proc")
def test_a_computer_that_sleeps_is_out_of_the_call_and_can_call_again(three_processes: Three) -> None:
    ana, bo, call = talking(three_processes)
    programs = programs_of(bo)
    assert len(programs) > 1
    for program in programs:
        os.kill(program, signal.SIGSTOP)
    assert ana.wait_for("call_ended", wait=25)["call"]["reason"] == "lost"
    for program in programs:
        os.kill(program, signal.SIGCONT)
    assert bo.wait_for("call_ended", wait=20)["call"]["reason"] == "lost"
    assert call
    bo.wait_for("presence_changed", lambda e: e["presence"]["linked"])
    conversation = bo.call("conversations.open", user="ana")["conversation"]
    deadline = time.monotonic() + 20
    while not bo.call("session.status")["links"] and time.monotonic() < deadline:
        time.sleep(0.2)
    again = bo.call("calls.start", conversation=conversation)["call"]
    ana.call("calls.answer", call=ana.wait_for("call_ringing", lambda e: e["call"]["call"] == again)["call"]["call"])
    ana.wait_for("call_started", lambda e: e["call"]["call"] == again)


def test_a_voice_process_that_is_killed_ends_the_call_and_no_program(three_processes: Three) -> None:
    ana, bo, call = talking(three_processes)
    deadline = time.monotonic() + 5
    while (alive := programs_of(bo)[1:]) and time.monotonic() < deadline:
        os.kill(alive[0], signal.SIGKILL)
        time.sleep(0.1)
    over = bo.wait_for("call_ended")["call"]
    assert (over["call"], over["reason"]) == (call, "voice_failed")
    assert over["message"]
    assert ana.wait_for("call_ended")["call"]["reason"] == "hung_up"
    assert bo.call("calls.list") == []


def test_a_program_that_is_killed_in_a_call_leaves_one_line_when_it_comes_back(three_processes: Three) -> None:
    ana, bo, call = talking(three_processes)
    ana.kill()
    ana = three_processes.log_in("ana")
    line = bo.wait_for("message_arrived", lambda e: e["message"]["kind"] == "call")["message"]
    assert (line["call"]["call"], line["call"]["outcome"], line["call"]["is_missed"]) == (call, "answered", False)
    for peer in (ana, bo):
        shown = peer.call("messages.list", conversation=line["conversation"], limit=100)
        assert [message["entry"] for message in shown if message["kind"] == "call"] == [line["entry"]]


def test_what_is_done_to_our_voice_is_kept_with_the_account(three_processes: Three) -> None:
    ana = three_processes.registered("ana")
    assert ana.call("calls.processing") == {"echo": True, "noise": True, "gain": True}
    assert ana.call("calls.processing", echo=False, gain=False) == {"echo": False, "noise": True, "gain": False}
    ana.call("session.logout")
    ana.call("session.login", locator=three_processes.locator.link, user="ana", password=PASSWORD)
    assert ana.call("calls.processing", gain=True) == {"echo": False, "noise": True, "gain": True}


def test_three_of_a_group_talk_though_two_of_them_are_no_friends(three_processes: Three) -> None:
    ana, bo, cy = people = [three_processes.registered(name) for name in ("ana", "bo", "cy")]
    befriend(ana, bo, "ana", "bo")
    befriend(ana, cy, "ana", "cy")
    group = ana.call("groups.create", name="Lab", members=["bo", "cy"])["conversation"]
    for person in (bo, cy):
        person.wait_for("group_changed", lambda e: len(e["group"]["members"]) == 3)
    call = ana.call("calls.start", conversation=group)["call"]
    for person in (bo, cy):
        person.wait_for("call_ringing")
        person.call("calls.answer", call=call)
    for person in people:
        person.wait_for("call_changed", lambda e: [each["state"] for each in e["call"]["people"]] == ["active"] * 2)
    ana.call("calls.hang_up", call=call)
    (left,) = ana.call("calls.list")
    assert (left["state"], sorted(each["user"] for each in left["people"])) == ("available", ["bo", "cy"])
    ana.call("calls.start", conversation=group)
    bo.wait_for("call_changed", lambda e: sum(each["state"] == "active" for each in e["call"]["people"]) == 1)
    bo.wait_for("call_changed", lambda e: sum(each["state"] == "active" for each in e["call"]["people"]) == 2)
    for person in (ana, bo):
        person.call("calls.hang_up", call=call)
    for person in people:
        person.wait_for("call_ended")
        assert person.call("calls.list") == []
