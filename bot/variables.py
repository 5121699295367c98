"""Variables of the environment: one that is nearly ours, and secrets that stand in files.

Other programs have variables with our prefixes, and theirs must not stop the bot: Gitea's own
`GITEA_WORK_DIR`, `GITEA__server__ROOT_URL` of its image, `ANTHROPIC_AUTH_TOKEN`. So a name counts
as mistyped only where it is a slip or two from one of ours, and ours is not set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

from rapidfuzz.distance import OSA

from bot.errors import ConfigError

PREFIX = "MOSAIC_"
COMMON = frozenset({"HOST", "PORT", "LOG_LEVEL"})  # everybody's: nothing near them is told
LARGEST_SECRET = 64 * 1024  # bytes; a private key is smaller
_SHORT = 7  # characters
_PASSWORDS = re.compile(
    r"(?<=://)(?P<user>[^:/?]*:)(.+)@|(?P<key>[?&]\w*password=)([^&]+)", re.IGNORECASE
)


def meant(name: str, known: Iterable[str]) -> str | None:
    """The one of ours that was meant by this name, which is none of them; None: nobody's slip.

    A letter too many, missing, changed, or two swapped are a slip each.
    """
    slips, near = min((OSA.distance(name.upper(), one), one) for one in {*known} - COMMON)
    return near if slips <= _slips(name.upper(), near) else None


def _slips(name: str, ours: str) -> int:
    """How many slips away a name may be: `GITLAB_TOKEN` and `GITEA_UID` are two away."""
    prefix, _, rest = ours.partition("_")
    if ours.startswith(PREFIX):
        return 2
    return 1 if len(rest) < _SHORT or name.partition("_")[0] != prefix else 2


def value_of(name: str, environ: Mapping[str, str]) -> str:
    """What `NAME` holds, or the file that `NAME_FILE` names; empty when neither is set.

    Raises ConfigError when both are, and when the file cannot be read or holds nothing.
    """
    value, file = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if value and file:
        raise ConfigError(f"{name} and {name}_FILE are both set; unset one of them")
    return _content(f"{name}_FILE", Path(file)) if file else value


def _content(variable: str, path: Path) -> str:
    """A secret from a file; the line's end, and what editors put before and after, is cut off."""
    try:
        with path.open("rb") as file:
            found = file.read(LARGEST_SECRET + 1)
        text = found.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ConfigError(f"{variable}: {path} cannot be read: it is no text") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "that is no file's name"
        raise ConfigError(f"{variable}: {path} cannot be read: {why}") from None
    if len(found) > LARGEST_SECRET:
        raise ConfigError(f"{variable}: {path} is too large for a secret")
    if not text:
        raise ConfigError(f"{variable}: {path} is empty")
    return text


def without_passwords(address: str) -> str:
    """A database's address, fit to be shown."""
    return _PASSWORDS.sub(_masked, address)


def _masked(found: re.Match[str]) -> str:
    return f"{found['key']}***" if found["key"] else f"{found['user']}***@"


def passwords(address: str) -> frozenset[str]:
    """The passwords in a database's address, as they stand there and as they are meant."""
    found = {one[2] or one[4] for one in _PASSWORDS.finditer(address)}
    return frozenset(found | {unquote(one) for one in found})
