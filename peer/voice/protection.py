"""SRTP between two devices in one call: AES-256-GCM, a key for each direction, from the call's offer and answer."""

from dataclasses import dataclass

import pylibsrtp

from protocol.errors import RemoteProtocolError
from protocol.voice_packets import is_report

_PROFILE = pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM
KEY_BYTES = 44
"""Of a key and its salt (RFC 7714)."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What both ends of a leg know, each the other way round."""

    outgoing: bytes
    incoming: bytes
    outgoing_ssrc: int
    incoming_ssrc: int


class Protection:
    """Protects what is sent, and lets in what the other side of this very leg has sent, once."""

    def __init__(self, keys: Keys) -> None:
        self._outgoing = pylibsrtp.Session(_policy(keys.outgoing, keys.outgoing_ssrc))
        self._incoming = pylibsrtp.Session(_policy(keys.incoming, keys.incoming_ssrc))

    def protect(self, data: bytes) -> bytes:
        """Return a packet or report as it travels."""
        return self._outgoing.protect_rtcp(data) if is_report(data) else self._outgoing.protect(data)

    def unprotect(self, data: bytes) -> bytes:
        """Return a packet or report that came; raise RemoteProtocolError if it is forged, changed or came before."""
        try:
            return self._incoming.unprotect_rtcp(data) if is_report(data) else self._incoming.unprotect(data)
        except pylibsrtp.Error as error:
            raise RemoteProtocolError(f"a voice packet that is not accepted ({error})") from error


def _policy(key: bytes, ssrc: int) -> pylibsrtp.Policy:
    return pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_SPECIFIC, ssrc_value=ssrc, srtp_profile=_PROFILE)
