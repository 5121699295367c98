"""What the bot may in a repository, and whether Gitea keeps dependencies there."""

from __future__ import annotations

from collections.abc import Sequence

from bot.check.among import NAMES
from bot.check.finding import Finding, Grade
from bot.gitea.models import Repository
from bot.models import Mode

GIVE = (
    f"{NAMES} ▸ Settings ▸ Collaborators: give it Administrator. Or: mosaic-coordinator setup "
    f"{NAMES}"
)

UNSEEN = Finding(
    "repository.unseen",
    Grade.WRONG,
    f"{NAMES} cannot be seen.",
    "It does not exist, or the bot may not read it.",
    f"Correct the name, or let the bot in. {GIVE}",
)
ARCHIVED = Finding(
    "repository.archived",
    Grade.NOTE,
    f"{NAMES}: archived.",
    "The bot writes nothing there.",
)
_ADMINISTRATOR = Finding(
    "rights.administrator", Grade.GOOD, f"{NAMES}: the bot is an administrator."
)
_WRITE = Finding(
    "rights.write",
    Grade.WRONG,
    f"{NAMES}: the bot may write, but is no administrator.",
    "Only administrators may ask Gitea what somebody may do, so every command that changes "
    "something is refused.",
    GIVE,
)
_NONE = Finding(
    "rights.none",
    Grade.WRONG,
    f"{NAMES}: the bot may not write.",
    "Gitea lets nobody be assigned who may not, and labels cannot be set.",
    GIVE,
)
_NO_DEPENDENCIES = Finding(
    "dependencies.off",
    Grade.NOTE,
    f"{NAMES}: dependencies are switched off.",
    "What texts and commands say counts, but does not show beside the issues, and does not keep "
    "anybody from closing one too early.",
    f"{NAMES} ▸ Settings ▸ Advanced Settings ▸ Issues: Enable Dependencies For Issues and Pull "
    "Requests. Or set gitea.dependencies to off.",
)


def of_rights(found: Repository) -> Finding:
    """Whether the bot is an administrator."""
    if found.permissions.admin:
        return _ADMINISTRATOR
    return _WRITE if found.permissions.push else _NONE


def of_dependencies(found: Repository, mode: Mode) -> Sequence[Finding]:
    """Whether Gitea's own can be set."""
    off = mode is not Mode.OFF and not found.native_dependencies
    return [_NO_DEPENDENCIES] if off else []
