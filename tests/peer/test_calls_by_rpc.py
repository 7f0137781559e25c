"""Calls between real programs with real voice processes: by rpc, on a computer without any sound device."""

from tests.harness.processes import Three, befriend


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
    assert ana.call("calls.devices")["chosen"] == {"microphone": "", "speaker": ""}
