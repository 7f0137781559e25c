"""Keyrings of the real library's kind: one in memory, one that fails, one that hangs."""

import threading

import keyring.backend
import keyring.errors


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring of the real library's kind, in memory."""

    priority = 9  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("not there")


class BrokenKeyring(MemoryKeyring):
    """Says that it works, and never does."""

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise OSError("the bus is gone")

    delete_password = get_password  # type: ignore[assignment]


class HangingKeyring(MemoryKeyring):
    """Waits for a window that nobody sees."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def set_password(self, service: str, username: str, password: str) -> None:
        self.let_go.wait(30)

    def get_password(self, service: str, username: str) -> str | None:
        self.let_go.wait(30)
        return None

    def delete_password(self, service: str, username: str) -> None:
        self.let_go.wait(30)
