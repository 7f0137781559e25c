"""One `hail-file/1` connection, blocking, for a thread of its own: frames, then bytes as they are."""

import contextlib
import socket
import ssl

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
        raw.settimeout(limits.HANDSHAKE_SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._raw = raw
        self._tls: ssl.SSLSocket | None = None
        name = None if is_server else _TLS_NAME
        try:
            self._tls = context.wrap_socket(raw, server_side=is_server, server_hostname=name)
        except BaseException:
            raw.close()
            raise
        if self._tls.selected_alpn_protocol() != ALPN:
            self.close()
            raise RemoteProtocolError("a connection that does not speak hail-file/1")

    @property
    def certificate(self) -> bytes:
        """The other side's certificate (DER), of which TLS proved that it is held there."""
        found = self._socket.getpeercert(binary_form=True)
        if found is None:
            raise ConnectionResetError("the connection was gone before its certificate was read")
        return found

    def wait_at_most(self, seconds: float) -> None:
        """Let every later step take no longer than this."""
        self._socket.settimeout(seconds)

    def say(self, message: Message) -> None:
        """Send a frame."""
        self._socket.sendall(FILE.encode(message))

    def give(self, data: memoryview) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def hear(self) -> Message | None:
        """Return the next message; None at the end of the connection, between two frames."""
        head = memoryview(bytearray(HEAD_BYTES))
        count = self._socket.recv_into(head)
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
        recv_into = self._socket.recv_into
        while buffer:
            count = recv_into(buffer)
            if not count:
                raise ConnectionResetError("the other side hung up")
            buffer = buffer[count:]

    def abort(self) -> None:
        """End it from another thread: whoever waits in one of the calls gets an OSError."""
        with contextlib.suppress(OSError):
            # The plain socket's: that of SSLSocket would let a reader take sealed bytes for content.
            socket.socket.shutdown(self._tls or self._raw, socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up."""
        (self._tls or self._raw).close()

    @property
    def _socket(self) -> ssl.SSLSocket:
        assert self._tls is not None
        return self._tls
