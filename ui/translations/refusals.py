"""What a refusal is called on the screen: the window's own words where the code says it all."""

from PySide6.QtCore import QCoreApplication

from peer.errors import RefusalCode


def refusal_text(code: RefusalCode, message: str) -> str:
    """Return the sentence to show; where the code does not say all, it is the node's own."""
    return _sentences().get(code, message)


def _sentences() -> dict[RefusalCode, str]:
    return {
        RefusalCode.WRONG_PASSWORD: QCoreApplication.translate(
            "Refusal", "This ID and password do not belong together. Check both."
        ),
        RefusalCode.UNKNOWN_USER: QCoreApplication.translate("Refusal", "Nobody has this ID. Check the spelling."),
        RefusalCode.BAD_USER_ID: QCoreApplication.translate(
            "Refusal", "An ID has 1 to 32 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit."
        ),
        RefusalCode.BAD_NAME: QCoreApplication.translate("Refusal", "A name has 1 to 64 visible characters."),
        RefusalCode.WEAK_PASSWORD: QCoreApplication.translate("Refusal", "Choose a password of at least 8 characters."),
        RefusalCode.NAME_TAKEN: QCoreApplication.translate("Refusal", "This ID is taken. Choose another one."),
        RefusalCode.MUST_CHANGE_PASSWORD: QCoreApplication.translate(
            "Refusal", "Choose your own password first: the menu has Change password."
        ),
        RefusalCode.YOURSELF: QCoreApplication.translate("Refusal", "This is your own ID. Type a friend's."),
        RefusalCode.ALREADY_ASKED: QCoreApplication.translate(
            "Refusal", "You have asked already. Wait for their answer."
        ),
        RefusalCode.ALREADY_FRIENDS: QCoreApplication.translate("Refusal", "You are contacts already."),
        RefusalCode.BAD_ADDRESS: QCoreApplication.translate(
            "Refusal", "This is no locator's address. Write host:port, or paste the hail:// link you were given."
        ),
        RefusalCode.BUSY_HERE: QCoreApplication.translate("Refusal", "You are in a call already. Hang up first."),
        RefusalCode.CALL_FULL: QCoreApplication.translate("Refusal", "Eight people are in this call: it is full."),
        RefusalCode.PROFILE_IN_USE: QCoreApplication.translate(
            "Refusal",
            "Another Hail is using this profile. Close it, or start this one with --profile and another folder.",
        ),
    }
