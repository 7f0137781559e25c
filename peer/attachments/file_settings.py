"""What a person chose about files: what comes by itself, and where everything lands."""

from pathlib import Path

import msgspec

from peer import limits
from peer.attachments.records import path_as_text
from peer.safe_paths import safe_name, untaken_name
from peer.storage.database import Connection, Database
from peer.storage.messages import MessageRow
from peer.storage.settings import get_setting, put_setting
from peer.views import ConversationId, MessageKind


class FileSettings:
    """Kept in the account's database."""

    def __init__(self, database: Database, base: Path, account_folder: str) -> None:
        """Things land in the `account_folder` in `base` while nobody chose another folder.

        The first such name that was given counts for ever, whoever signs in on this computer later.
        """
        self._database = database
        self._auto_fetch = limits.AUTO_FETCH_BYTES
        self._base = base
        self._account_folder = account_folder
        self._downloads = base / safe_name(account_folder)
        self._folders: dict[str, str] = {}
        """The name of each conversation's folder, by the conversation's."""

    async def load(self) -> None:
        """Read what is kept."""
        first_name = self._account_folder.encode()

        def job(connection: Connection) -> list[bytes | None]:
            if get_setting(connection, "account_folder") is None:
                put_setting(connection, "account_folder", first_name)
            keys = ("auto_fetch", "account_folder", "downloads", "folders")
            return [get_setting(connection, key) for key in keys]

        auto_fetch, account_folder, downloads, folders = await self._database.write(job, own=True)
        if auto_fetch is not None:
            self._auto_fetch = int.from_bytes(auto_fetch, "big")
        if account_folder is not None:
            self._downloads = self._base / safe_name(account_folder.decode())
        if downloads is not None:
            self._downloads = Path(downloads.decode())
        if folders is not None:
            self._folders = msgspec.json.decode(folders, type=dict[str, str])

    @property
    def auto_fetch(self) -> int:
        """Bytes up to which files of friends come by themselves; 0: nothing does."""
        return self._auto_fetch

    async def set_auto_fetch(self, size: int) -> None:
        """Choose which files come by themselves; pictures and voice messages do up to 10 MiB, or with 0 not either."""
        await self._database.write(lambda c: put_setting(c, "auto_fetch", size.to_bytes(8, "big")), own=True)
        self._auto_fetch = size

    @property
    def downloads(self) -> Path:
        """The folder in which each conversation has one of its own."""
        return self._downloads

    async def set_downloads(self, folder: Path) -> None:
        """Put what comes from now on into another folder."""
        text = path_as_text(folder).encode()
        await self._database.write(lambda c: put_setting(c, "downloads", text), own=True)
        self._downloads = folder

    async def folder_for(self, conversation: ConversationId, title: str) -> Path:
        """Return where the files of a conversation land: in a folder of its own that keeps its first name."""
        key = conversation.hex()
        if key not in self._folders:
            self._folders[key] = untaken_name(title, self._folders.values())
            folders = msgspec.json.encode(self._folders)
            await self._database.write(lambda c: put_setting(c, "folders", folders), own=True)
        return self._downloads / self._folders[key]

    def comes_by_itself(self, message: MessageRow) -> bool:
        """Tell whether an attachment is small enough to be fetched unasked."""
        assert message.attachment is not None
        is_media = message.kind in {MessageKind.PICTURE, MessageKind.VOICE}
        most = max(self._auto_fetch, limits.AUTO_FETCH_MEDIA_BYTES) if is_media else self._auto_fetch
        return self._auto_fetch > 0 and message.attachment.body.size <= most
