import sys

import pytest

from locator import own_address
from locator.own_address import address_of_this_machine, first_for_others


def test_only_an_address_that_others_can_dial_is_handed_out():
    assert first_for_others(["127.0.0.1", "169.254.1.2", "0.0.0.0", "10.77.0.5", "10.77.0.6"]) == "10.77.0.5"
    assert first_for_others(["127.0.1.1", "::1", "fe80::1"]) is None


def test_the_address_on_the_way_out_comes_first(monkeypatch):
    monkeypatch.setattr(own_address, "_on_the_way_out", lambda _: iter(["192.0.2.7"]))
    monkeypatch.setattr(own_address, "_of_interfaces", lambda: iter(["10.77.0.5"]))
    assert address_of_this_machine(ipv6=False) == "192.0.2.7"


def test_a_network_without_a_way_out_has_an_address_to_hand_out(monkeypatch):
    monkeypatch.setattr(own_address, "_on_the_way_out", lambda _: iter([]))
    monkeypatch.setattr(own_address, "_of_interfaces", lambda: iter(["127.0.0.1", "10.77.0.5"]))
    assert address_of_this_machine(ipv6=False) == "10.77.0.5"


def test_a_machine_without_a_network_hands_out_loopback(monkeypatch):
    monkeypatch.setattr(own_address, "_on_the_way_out", lambda _: iter([]))
    monkeypatch.setattr(own_address, "_of_interfaces", lambda: iter(["127.0.0.1"]))
    assert address_of_this_machine(ipv6=True) == "127.0.0.1"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the host's name is asked, which may leave out loopback")
def test_the_kernel_names_the_addresses_of_the_interfaces():
    assert "127.0.0.1" in set(own_address._of_interfaces())
