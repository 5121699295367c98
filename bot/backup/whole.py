"""Files that are there as a whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bot.errors import UserError

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)


@contextmanager
def written(target: Path, *, replace: bool) -> Iterator[IO[bytes]]:
    """A file to write to, which gets its name once all of it is on disk; nobody else may read it.

    Raises UserError where there is one of that name and it is not to be replaced, and OSError.
    """
    refuse_existing(target, replace=replace)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        number = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(part, target, replace=replace)
    finally:
        part.unlink(missing_ok=True)


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
