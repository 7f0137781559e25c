"""Computers of their own on one machine: network namespaces, joined by a switch that can cut, delay and lose.

A home is a computer behind a router that translates addresses. What a computer's own firewall does is said in the words
of `nft`. Everything is named after this program's number and goes with it; what a killed one left behind, the next one
sweeps.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fault_lab.switch import Switch
from tests.fault_lab.weather import CUT, FINE, Weather

COMMAND_SECONDS = 10.0
_NETWORK = 0x4000_0000
"""What of a thread is elsewhere (CLONE_NEWNET)."""
_NAME = re.compile(r"hail-(\d+)-\w+")


def why_not() -> str:
    """Return why there can be no lab here; empty if there can be one."""
    if sys.platform != "linux":
        return "network namespaces are a thing of Linux"
    for command, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(command) is None:
            return f"the command `{command}` is missing (Debian: {package})"
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
class Computer:
    """Whatever programs can run on."""

    name: str
    namespace: str
    interface: str
    address: str
    inside: Sequence[str] = field(init=False)
    """A command that runs the one behind it on this computer."""

    def __post_init__(self) -> None:
        self.inside = ("ip", "netns", "exec", self.namespace)

    def filter(self, **rules: str) -> None:
        """Let its firewall have these rules alone, by what they are for: `input` or `output`."""
        chains = [f"chain {hook} {{ type filter hook {hook} priority 0; {rule}\n}}\n" for hook, rule in rules.items()]
        self.nft("table inet lab\ndelete table inet lab\ntable inet lab {\n" + "".join(chains) + "}\n")

    def nft(self, words: str) -> None:
        """Let its kernel do so with packets."""
        command = [*self.inside, "nft", "-f", "-"]
        subprocess.run(command, input=words, text=True, check=True, timeout=COMMAND_SECONDS)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let what this thread makes meanwhile, sockets and programs, be on this computer."""
        own, other = Path("/proc/thread-self/ns/net"), Path("/run/netns", self.namespace)
        with own.open() as here, other.open() as there:
            _go_to(there.fileno())
            try:
                yield
            finally:
                _go_to(here.fileno())


def _go_to(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _NETWORK):
        raise OSError(ctypes.get_errno(), "setns")


@dataclass
class Host(Computer):
    """A computer at the switch."""

    cable: int


@dataclass
class Home(Computer):
    """A computer with a private address, and the router between it and all others."""

    router: Host


class Lab:
    """Some computers and the network between them."""

    def __init__(self, seed: int = 1) -> None:
        sweep()
        self._switch = Switch(seed)
        self._hosts: list[Host] = []
        self._homes: list[Home] = []

    def host(self, name: str) -> Host:
        """Set up a computer that reaches all others."""
        number = len(self._hosts) + 1
        namespace, interface = f"hail-{os.getpid()}-{name}", f"hl{os.getpid()}x{number}"
        cable = self._switch.plug_in(interface)
        host = Host(name, namespace, interface, "", cable)
        self._hosts.append(host)
        _ip("netns", "add", namespace)
        _ip("link", "set", interface, "netns", namespace)
        _ip("-n", namespace, "link", "set", "lo", "up")
        self.move(host, f"10.77.0.{number}")
        return host

    def home(self, name: str, *, changes_ports: bool = False) -> Home:
        """Set up a computer behind a router, which keeps the numbers of ports if it can, or gives others."""
        router = self.host(f"{name}_router")
        near, far = f"{router.interface}n", f"{router.interface}f"
        home = Home(name, f"hail-{os.getpid()}-{name}", far, "192.168.1.2", router)
        _ip("netns", "add", home.namespace)
        self._homes.append(home)
        pair = ["link", "add", near, "type", "veth", "peer", "name", far, "netns", home.namespace]
        _ip("-n", router.namespace, *pair)
        for namespace, interface, address in (
            (router.namespace, near, "192.168.1.1"),
            (home.namespace, far, home.address),
        ):
            _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", interface)
            _ip("-n", namespace, "link", "set", interface, "up")
        _ip("-n", home.namespace, "link", "set", "lo", "up")
        _ip("-n", home.namespace, "route", "add", "default", "via", "192.168.1.1")
        with router.entered():  # what is read and written there is of the network where one is
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        how = "masquerade random" if changes_ports else "masquerade"
        chain = f'chain out {{ type nat hook postrouting priority 100; oifname "{router.interface}" {how}\n}}\n'
        router.nft(f"table ip home {{\n{chain}}}\n")
        return home

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
        for computer in (*self._homes, *self._hosts):
            _take_down(computer.namespace)
        self._switch.close()
