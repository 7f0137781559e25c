"""What a person chose about files: what comes by itself, and where everything lands."""

from pathlib import Path

from peer import limits
from peer.attachments.records import path_as_text
from peer.storage.database import Connection, Database
from peer.storage.messages import MessageRow
from peer.storage.settings import get_setting, put_setting
from peer.views import MessageKind


class FileSettings:
    """Kept in the account's database."""

    def __init__(self, database: Database, downloads: Path) -> None:
        """`downloads` is where things land while nobody chose another folder."""
        self._database = database
        self._auto_fetch = limits.AUTO_FETCH_BYTES
        self._downloads = downloads

    async def load(self) -> None:
        """Read what is kept."""

        def job(connection: Connection) -> tuple[bytes | None, bytes | None]:
            return get_setting(connection, "auto_fetch"), get_setting(connection, "downloads")

        auto_fetch, downloads = await self._database.read(job)
        if auto_fetch is not None:
            self._auto_fetch = int.from_bytes(auto_fetch, "big")
        if downloads is not None:
            self._downloads = Path(downloads.decode())

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

    def comes_by_itself(self, message: MessageRow) -> bool:
        """Tell whether an attachment is small enough to be fetched unasked."""
        assert message.attachment is not None
        is_media = message.kind in {MessageKind.PICTURE, MessageKind.VOICE}
        most = max(self._auto_fetch, limits.AUTO_FETCH_MEDIA_BYTES) if is_media else self._auto_fetch
        return self._auto_fetch > 0 and message.attachment.body.size <= most
