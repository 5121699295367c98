"""Files that are there as a whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from bot.errors import UserError

PREFIX = ".mosaic-backup-"  # of what is there only while a backup is made
LEFT = timedelta(days=1)  # so old, nobody is at it any more
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)


@contextmanager
def written(target: Path, *, replace: bool) -> Iterator[IO[bytes]]:
    """A file to write to, which gets its name once all of it is on disk; nobody else may read it.

    Raises UserError where there is one of that name and it is not to be replaced, and OSError.
    """
    refuse_existing(target, replace=replace)
    number, name = tempfile.mkstemp(dir=target.parent, prefix=PREFIX, suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(number, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(part, target, replace=replace)
    finally:
        part.unlink(missing_ok=True)


def remove_leftovers(folder: Path, now: datetime, prefix: str = PREFIX) -> None:
    """Remove what a program that was killed left in a folder: texts of people are in it."""
    for one in folder.glob(f"{prefix}*"):
        with suppress(OSError):  # of somebody else, or gone meanwhile
            found = one.lstat()
            old = now.timestamp() - found.st_mtime > LEFT.total_seconds()
            if not old or found.st_uid != os.geteuid():
                continue
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one)
            else:
                one.unlink()


def refuse_existing(target: Path, *, replace: bool) -> None:
    """Raise UserError where there is such a file and it is not to be replaced."""
    if not replace and (target.exists() or target.is_symlink()):
        raise UserError(f"{target} is there already; choose another name, or --force")


def _name(part: Path, target: Path, *, replace: bool) -> None:
    if replace:
        part.replace(target)
    else:
        try:
            target.hardlink_to(part)  # fails where somebody made one meanwhile
        except OSError as error:
            if error.errno not in _NO_LINKS:
                refuse_existing(target, replace=False)
                raise
            refuse_existing(target, replace=False)
            part.rename(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
