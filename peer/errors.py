"""A refusal as people and programs see it: a stable code and one plain sentence that says what to do."""

from protocol.errors import RefusalCode

__all__ = ["Refusal", "RefusalCode"]


class Refusal(Exception):
    """What was asked was not done, and nothing was lost by it."""

    def __init__(self, code: RefusalCode, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after
        """Seconds after which trying again makes sense; 0 when it does not."""
