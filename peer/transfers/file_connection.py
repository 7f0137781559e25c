"""One `hail-file/1` connection, blocking, for a thread of its own: frames, then bytes as they are.

TLS works on memory here, and the socket is read 256 KiB at a time: left to itself OpenSSL asks the system twice for
every 16 KiB, which costs a receiver as much as the hashing does.
"""

import contextlib
import socket
import ssl
import time

from peer import limits as node_limits
from protocol import limits
from protocol.errors import RemoteProtocolError
from protocol.file_messages import ALPN, FILE
from protocol.framing import HEAD_BYTES, Frame, read_head
from protocol.registry import Message

_TLS_NAME = "hail"  # names are not checked, roles are


class FileConnection:
    """A mutual-TLS connection. All calls but `abort` belong to one thread; they raise OSError when it is gone."""

    def __init__(self, raw: socket.socket, context: ssl.SSLContext, *, is_server: bool) -> None:
        """Shake hands; raise OSError, or RemoteProtocolError for another language."""
        self._raw = raw
        self._sealed_in, self._sealed_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._arrived = memoryview(bytearray(node_limits.FILE_BUFFER_BYTES))
        name = None if is_server else _TLS_NAME
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._tls = context.wrap_bio(self._sealed_in, self._sealed_out, server_side=is_server, server_hostname=name)
            self._shake_hands()
            raw.settimeout(limits.HANDSHAKE_SECONDS)
        except BaseException:
            raw.close()
            raise
        if self._tls.selected_alpn_protocol() != ALPN:
            raw.close()
            raise RemoteProtocolError("a connection that does not speak hail-file/1")

    @property
    def certificate(self) -> bytes:
        """The other side's certificate (DER), of which TLS proved that it is held there."""
        found = self._tls.getpeercert(binary_form=True)
        if found is None:
            raise ConnectionResetError("the connection was gone before its certificate was read")
        return found

    def wait_at_most(self, seconds: float) -> None:
        """Let every later step take no longer than this."""
        self._raw.settimeout(seconds)

    def say(self, message: Message) -> None:
        """Send a frame."""
        self.give(memoryview(FILE.encode(message)))

    def give(self, data: memoryview) -> None:
        """Send bytes as they are."""
        for at in range(0, len(data), node_limits.SEALED_AT_ONCE_BYTES):
            self._tls.write(data[at : at + node_limits.SEALED_AT_ONCE_BYTES])
            self._send_sealed()

    def hear(self) -> Message | None:
        """Return the next message; None at the end of the connection, between two frames."""
        head = memoryview(bytearray(HEAD_BYTES))
        count = self._take_some(head)
        if not count:
            return None
        self.take_into(head[count:])
        length, kind = read_head(bytes(head), limits.FILE_FRAME)
        body = memoryview(bytearray(length))
        self.take_into(body)
        message = FILE.decode(Frame(kind, bytes(body)))
        return self.hear() if message is None else message

    def take_into(self, buffer: memoryview) -> None:
        """Fill the buffer with bytes as they come; raise OSError if they end before."""
        while buffer:
            count = self._take_some(buffer)
            if not count:
                raise ConnectionResetError("the other side hung up")
            buffer = buffer[count:]

    def abort(self) -> None:
        """End it from another thread: whoever waits in one of the calls gets an OSError."""
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up."""
        self._raw.close()

    def _shake_hands(self) -> None:
        deadline = time.monotonic() + limits.HANDSHAKE_SECONDS
        while True:
            self._raw.settimeout(max(0.001, deadline - time.monotonic()))
            is_done = False
            try:
                with contextlib.suppress(ssl.SSLWantReadError):
                    self._tls.do_handshake()
                    is_done = True
            finally:
                self._send_sealed()  # of a failure, too: it is an alert that says why
            if is_done:
                return
            if not self._receive_sealed():
                raise ConnectionResetError("the other side hung up while shaking hands")

    def _take_some(self, buffer: memoryview) -> int:
        """Return how many bytes came, from one record at most; 0 at the end."""
        while True:
            try:
                # typeshed does not know that with a buffer the count is returned.
                return self._tls.read(len(buffer), buffer)  # type: ignore[return-value]
            except ssl.SSLWantReadError:
                self._send_sealed()
                if not self._receive_sealed():
                    return 0

    def _receive_sealed(self) -> int:
        count = self._raw.recv_into(self._arrived)
        self._sealed_in.write(self._arrived[:count])
        return count

    def _send_sealed(self) -> None:
        if self._sealed_out.pending:
            self._raw.sendall(self._sealed_out.read())
