"""The file of a backup: a ZIP of both databases, and of a list that says what they are."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
import zlib
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import UserError

LIST = "backup.json"
STORE, QUEUE = "store.db", "queue.db"


class Member(BaseModel):
    """One database: how many bytes it has, and their SHA-256."""

    model_config = ConfigDict(frozen=True)

    size: Annotated[int, Field(ge=0)]
    sha256: str


class Contents(BaseModel):
    """What a backup holds: made by which version of the bot, when, and with which schemas.

    `schema_` is the store's; `queue_schema` the number of dbos's last migration.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    made_by: str
    taken_at: datetime
    schema_: str
    queue_schema: int = 0
    store: Member
    queue: Member

    def of(self, name: str) -> Member:
        """What it says of the database that is called so in it."""
        return self.store if name == STORE else self.queue


def member(path: Path) -> Member:
    """What is said of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Member(size=path.stat().st_size, sha256=digest)


def pack(file: IO[bytes], contents: Contents, store: Path, queue: Path) -> None:
    """Write a backup, and read it once: one that cannot be read is of no use. Raises OSError."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        archive.writestr(LIST, contents.model_dump_json(indent=2))
        archive.write(store, STORE)
        archive.write(queue, QUEUE)
    with zipfile.ZipFile(file) as archive:
        broken = archive.testzip()
    if broken:
        raise OSError(f"{broken} cannot be read back; is the disk sound?")


def unpack(file: Path, folder: Path) -> tuple[Contents, Path, Path]:
    """Read a backup into a folder: what it holds, the store and the queue.

    Raises UserError where the file is none, or is damaged; OSError where it cannot be read.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            contents = _contents(file, archive)
            store, queue = (_extract(file, archive, contents, n, folder) for n in (STORE, QUEUE))
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error):
        raise UserError(f"{file} is no backup of the bot, or is damaged") from None
    return contents, store, queue


def _contents(file: Path, archive: zipfile.ZipFile) -> Contents:
    try:
        return Contents.model_validate_json(archive.read(LIST))
    except ValidationError:
        raise UserError(f"{file} is no backup that this version of the bot can read") from None


def _extract(
    file: Path, archive: zipfile.ZipFile, contents: Contents, name: str, folder: Path
) -> Path:
    """One database, if it is as the list says; no more of it is written than that."""
    said, path = contents.of(name), folder / name
    if archive.getinfo(name).file_size == said.size:
        with archive.open(name) as packed, path.open("wb") as out:
            shutil.copyfileobj(packed, out)
        if member(path) == said:
            return path
    raise UserError(f"{file} is damaged: {name} is not what was saved")
