"""What calls are spoken and heard with, asked for by rpc: with sound cards, without any, with one that hangs."""

import queue

import pytest

from tests.harness.processes import PASSWORD, PeerProcess, RpcRefusal, Three
from tests.harness.sound_card import SoundCard


def within(environment: dict[str, str]) -> tuple[str, ...]:
    return ("env", *(f"{name}={value}" for name, value in environment.items()))


def registered(three: Three, environment: dict[str, str]) -> PeerProcess:
    """Return Ana's program in an environment of its own."""
    ana = three.peer("ana", inside=within(environment))
    ana.call("session.register", locator=three.locator.link, user="ana", password=PASSWORD, name="Ana")
    return ana


def test_devices_are_listed_and_chosen_by_name_each_on_its_own(three_processes: Three, sound_card: SoundCard) -> None:
    ana = registered(three_processes, sound_card.variables("ana"))
    before = ana.call("calls.devices")
    assert before["chosen"] == {"microphone": "", "speaker": ""}
    assert {"ana_usb", "bo_usb"} <= set(before["devices"]["inputs"])
    assert (before["devices"]["default_input"], before["devices"]["default_output"]) == ("default", "default")
    assert ana.call("calls.devices", input="ana_usb")["chosen"] == {"microphone": "ana_usb", "speaker": ""}
    assert ana.call("calls.devices", output="pulse")["chosen"] == {"microphone": "ana_usb", "speaker": "pulse"}
    ana.close()
    again = three_processes.log_in("ana", inside=within(sound_card.variables("ana")))
    assert again.call("calls.devices", input="")["chosen"] == {"microphone": "", "speaker": "pulse"}


def test_no_device_is_an_empty_list_and_no_refusal(three_processes: Three, sound_card: SoundCard) -> None:
    nothing = sound_card.environment_without_card()
    ana = registered(three_processes, {name: nothing[name] for name in sound_card.variables("ana") if name in nothing})
    answer = ana.call("calls.devices")
    assert answer["devices"] == {"inputs": [], "outputs": [], "default_input": "", "default_output": ""}
    assert (answer["echo"], answer["noise"], answer["gain"]) == (True, True, True)


def test_a_sound_system_that_hangs_refuses_the_list_alone_and_every_other_method_answers_meanwhile(
    three_processes: Three, sound_card: SoundCard
) -> None:
    ana = registered(three_processes, sound_card.variables("ana"))
    sound_card.suspend()
    asked = [ana.post("calls.devices") for _ in range(2)]
    assert ana.call("calls.list") == []
    assert ana.call("calls.processing")["echo"]
    assert ana.call("where", users=["ana"])
    for number in asked:
        with pytest.raises(queue.Empty):
            ana.take(number, wait=0.0)  # they still wait, and nobody waited for them
    for number in asked:
        with pytest.raises(RpcRefusal) as refused:
            ana.take(number)
        assert refused.value.code == "audio_failed"
    sound_card.resume()
    assert "ana_usb" in ana.call("calls.devices")["devices"]["inputs"]
