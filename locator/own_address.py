"""Under which address others reach this machine: for the link that is handed out, where nobody named one."""

import contextlib
import ipaddress
import socket
import sys
from collections.abc import Iterable, Iterator

_OUTSIDE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that belong to nobody (RFC 5737, RFC 3849), reached only over the default route."""


def address_of_this_machine(*, ipv6: bool) -> str:
    """Return the address on the way out of this network, else that of an interface, else loopback.

    A class on a switch of its own has no way out, but must be able to use the link, too.
    """
    families = _OUTSIDE if ipv6 else _OUTSIDE[:1]
    return first_for_others(_on_the_way_out(families)) or first_for_others(_of_interfaces()) or "127.0.0.1"


def first_for_others(addresses: Iterable[str]) -> str | None:
    """Return the first address that another machine can dial."""
    for address in addresses:
        read = ipaddress.ip_address(address)
        if not (read.is_loopback or read.is_link_local or read.is_unspecified):
            return address
    return None


def _on_the_way_out(families: Iterable[tuple[socket.AddressFamily, str]]) -> Iterator[str]:
    for family, somewhere in families:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Connecting a datagram socket sends nothing; it only asks the routing table.
            probe.connect((somewhere, 9))
            yield str(probe.getsockname()[0])


if sys.platform == "linux":
    import fcntl
    import struct

    _SIOCGIFADDR = 0x8915
    _INTERFACE_REQUEST = struct.Struct("16s4x4s16x")
    """`struct ifreq` (netdevice(7)): the name; then of the answer the IPv4 address behind family and port."""

    def _of_interfaces() -> Iterator[str]:
        # A Debian host's own name stands for 127.0.1.1, so the kernel is asked instead.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            for _, name in socket.if_nameindex():
                request = _INTERFACE_REQUEST.pack(name.encode(), b"")
                with contextlib.suppress(OSError):  # an interface without an IPv4 address
                    answer = fcntl.ioctl(asking, _SIOCGIFADDR, request)
                    yield socket.inet_ntoa(_INTERFACE_REQUEST.unpack(answer)[1])

else:

    def _of_interfaces() -> Iterator[str]:
        with contextlib.suppress(OSError):
            for *_, place in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET):
                yield str(place[0])
