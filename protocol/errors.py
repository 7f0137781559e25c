"""Whose fault it was, and the stable codes by which a refusal is told to people and programs."""

from enum import StrEnum


class RemoteProtocolError(Exception):
    """The other side broke the rules of the wire: log the reason, close that link, go on."""


class LocalProtocolError(Exception):
    """Our own code asked for something the protocol does not allow: a bug to be fixed here."""


class RefusalCode(StrEnum):
    """Why something was refused. The values are public (rpc `data.code`, `Refused.code`): never renamed."""

    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a code, not a password
    UNKNOWN_USER = "unknown_user"
    BAD_USER_ID = "bad_user_id"
    BAD_NAME = "bad_name"
    WEAK_PASSWORD = "weak_password"  # noqa: S105 - a code, not a password
    NAME_TAKEN = "name_taken"
    REGISTRATION_CLOSED = "registration_closed"
    YOURSELF = "yourself"
    ALREADY_ASKED = "already_asked"
    ALREADY_FRIENDS = "already_friends"
    NOT_A_FRIEND = "not_a_friend"
    NOT_A_GROUP = "not_a_group"
    NOT_A_MEMBER = "not_a_member"
    ALREADY_MEMBER = "already_member"
    NOT_A_MANAGER = "not_a_manager"
    NOT_YOURS = "not_yours"
    NOT_ASKED = "not_asked"
    UNKNOWN_CONVERSATION = "unknown_conversation"
    UNKNOWN_ENTRY = "unknown_entry"
    EMPTY_MESSAGE = "empty_message"
    SAFETY_NUMBER_MISMATCH = "safety_number_mismatch"
    NO_DEVICE = "no_device"
    OFFLINE = "offline"
    BAD_ADDRESS = "bad_address"
    OTHER_AUTHORITY = "other_authority"
    LOCATOR_UNREACHABLE = "locator_unreachable"
    PORT_IN_USE = "port_in_use"
    PROFILE_IN_USE = "profile_in_use"
    NOT_SIGNED_IN = "not_signed_in"
    ALREADY_SIGNED_IN = "already_signed_in"
    VAULT_LOCKED = "vault_locked"
    DAMAGED_DATABASE = "damaged_database"
    NEWER_DATABASE = "newer_database"
    SUPERSEDED = "superseded"
    UNKNOWN_DEVICE = "unknown_device"
    ACCOUNT_DISABLED = "account_disabled"
    MUST_CHANGE_PASSWORD = "must_change_password"  # noqa: S105 - a code, not a password
    TOO_LARGE = "too_large"
    UNSUPPORTED_PICTURE = "unsupported_picture"
    DAMAGED_PICTURE = "damaged_picture"
    TOO_MANY = "too_many"
    RATE_LIMITED = "rate_limited"
    BAD_REQUEST = "bad_request"
    DISK_FULL = "disk_full"
    READ_ONLY = "read_only"
    NO_SUCH_FILE = "no_such_file"
    UNREADABLE_FILE = "unreadable_file"
    FILE_CHANGED = "file_changed"
    EMPTY_FOLDER = "empty_folder"
    WRONG_CONTENT = "wrong_content"
    NOBODY_HAS_IT = "nobody_has_it"
    CANCELLED = "cancelled"
    NO_MICROPHONE = "no_microphone"
    NO_SPEAKER = "no_speaker"
    AUDIO_FAILED = "audio_failed"
    BAD_AUDIO = "bad_audio"
    ALREADY_RECORDING = "already_recording"
    NOT_RECORDING = "not_recording"
    BUSY_HERE = "busy_here"
    NO_SUCH_CALL = "no_such_call"
    CALL_OVER = "call_over"
    CALL_FULL = "call_full"
    VOICE_FAILED = "voice_failed"
    REFUSED = "refused"

    @classmethod
    def from_wire(cls, text: str) -> "RefusalCode":
        """Read a code from the other side; one this version does not know becomes `refused`."""
        try:
            return cls(text)
        except ValueError:
            return cls.REFUSED
