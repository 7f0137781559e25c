"""Computers of their own on one machine: network namespaces, joined by a switch that can cut, delay and lose.

Everything is named after this program's number and goes with it; what a killed one left behind, the next one sweeps.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fault_lab.switch import Switch
from tests.fault_lab.weather import CUT, FINE, Weather

COMMAND_SECONDS = 10.0
_NAME = re.compile(r"hail-(\d+)-\w+")


def why_not() -> str:
    """Return why there can be no lab here; empty if there can be one."""
    if sys.platform != "linux":
        return "network namespaces are a thing of Linux"
    if shutil.which("ip") is None:
        return "the command `ip` is missing (Debian: iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "there is no /dev/net/tun"
    name = f"hail-{os.getpid()}-probe"
    made = _ip("netns", "add", name, check=False)
    if made.returncode:
        return f"network namespaces are not permitted: {made.stderr.strip()}"
    _ip("netns", "del", name)
    return ""


def sweep() -> None:
    """Take down what programs left that are not there any more."""
    for line in _ip("netns", "list", check=False).stdout.splitlines():
        found = _NAME.fullmatch(line.split()[0])
        if found and not Path("/proc", found[1]).exists():
            _take_down(found[0])


def _take_down(namespace: str) -> None:
    for process in _ip("netns", "pids", namespace, check=False).stdout.split():
        try:
            os.kill(int(process), signal.SIGKILL)
        except ProcessLookupError:
            continue
    _ip("netns", "del", namespace, check=False)


def _ip(*words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=check, timeout=COMMAND_SECONDS)


@dataclass
class Host:
    """A computer."""

    name: str
    namespace: str
    interface: str
    cable: int
    address: str
    inside: Sequence[str] = field(init=False)
    """A command that runs the one behind it on this computer."""

    def __post_init__(self) -> None:
        self.inside = ("ip", "netns", "exec", self.namespace)


class Lab:
    """Some computers and the network between them."""

    def __init__(self, seed: int = 1) -> None:
        sweep()
        self._switch = Switch(seed)
        self._hosts: list[Host] = []

    def host(self, name: str) -> Host:
        """Set up a computer that reaches all others."""
        number = len(self._hosts) + 1
        namespace, interface = f"hail-{os.getpid()}-{name}", f"hl{os.getpid()}x{number}"
        cable = self._switch.plug_in(interface)
        host = Host(name, namespace, interface, cable, "")
        self._hosts.append(host)
        _ip("netns", "add", namespace)
        _ip("link", "set", interface, "netns", namespace)
        _ip("-n", namespace, "link", "set", "lo", "up")
        self.move(host, f"10.77.0.{number}")
        return host

    def move(self, host: Host, address: str) -> None:
        """Give a computer another address, as another Wi-Fi does: what it had under the old one is cut off."""
        if host.address:
            _ip("-n", host.namespace, "addr", "del", f"{host.address}/32", "dev", host.interface)
        _ip("-n", host.namespace, "addr", "add", f"{address}/32", "dev", host.interface)
        _ip("-n", host.namespace, "link", "set", host.interface, "up")
        _ip("-n", host.namespace, "route", "replace", "default", "dev", host.interface, "src", address)
        host.address = address
        self._switch.put(host.cable, address)

    def set(self, one: Host, other: Host, weather: Weather) -> None:
        """Let the path between two computers have this weather, in both directions."""
        self._switch.set(one.cable, other.cable, weather)

    def cut(self, one: Host, *others: Host) -> None:
        """Let nothing through between a computer and others (all, if none is named); nobody is told."""
        for other in others or [each for each in self._hosts if each is not one]:
            self.set(one, other, CUT)

    def heal(self) -> None:
        """Let everything through again."""
        for place, one in enumerate(self._hosts):
            for other in self._hosts[place + 1 :]:
                self.set(one, other, FINE)

    def lost(self, one: Host, other: Host) -> int:
        """Return how many packets from one computer did not reach the other."""
        return self._switch.lost(one.cable, other.cable)

    def close(self) -> None:
        """Take everything down, with whatever still runs there."""
        for host in self._hosts:
            _take_down(host.namespace)
        self._switch.close()
