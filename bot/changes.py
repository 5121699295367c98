"""What changed in Gitea, and what of it concerns the bot: issues to look at, words to hear."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.boxes import boxes
from bot.gitea.models import Comment, Issue
from bot.models import IssueRef, Status
from bot.store.queries import Known

SETTLED = timedelta(seconds=5)  # a change may show in lists so much later than it says
HOLD = "hold"  # the one box that stays ticked

_PLACE = re.compile(r"/([^/\s#!]+)/([^/\s#!]+)/(?:issues|pulls)/([0-9]{1,9})$")


@dataclass(frozen=True, slots=True)
class Change:
    """An issue or pull request of a list, as far as it is judged here.

    `id` counts over all repositories; `repository_id` is Gitea's; `assigned`: to the bot.
    """

    id: int
    ref: IssueRef
    repository_id: int
    created_at: datetime
    updated_at: datetime
    is_open: bool
    is_pull: bool
    assigned: bool

    @classmethod
    def of(cls, issue: Issue, bot: int) -> Change:
        """An issue that is visible; `bot` is the id of the bot's user."""
        return cls(
            id=issue.id,
            ref=issue.ref,
            repository_id=issue.repository.id if issue.repository else 0,
            created_at=issue.created_at,
            updated_at=issue.updated_at,
            is_open=issue.is_open,
            is_pull=issue.is_pull,
            assigned=any(user.id == bot for user in issue.assignees),
        )

    @property
    def mine(self) -> bool:
        """Whether it is to be coordinated."""
        return self.assigned and not self.is_pull


def must_look(change: Change, known: Known | None, *, at_edge: bool) -> bool:
    """Whether an issue that changed must be looked at.

    `at_edge`: something waits for it, or it for something. Not if the bot has nothing to do with
    it, nor if it was looked at as a whole after that; the same second counts as before.
    """
    if known is None:
        return at_edge or change.mine
    return known.seen_at is None or change.updated_at >= known.seen_at - SETTLED


def was_missed(change: Change, known: Known | None) -> bool:
    """Whether an issue is to be coordinated and is not, as far as is known."""
    if known is None or not known.coordinated:
        return change.mine
    return change.mine and change.is_open and known.state == "closed"


@dataclass(frozen=True, slots=True)
class Words:
    """A comment that may have to be heard; `digest` tells it from what it was before.

    `boxes` are those of one of the bot's own comments, by action; None where a person wrote it.
    """

    ref: IssueRef
    id: int
    at: datetime
    digest: str
    boxes: Mapping[str, bool] | None = None

    @classmethod
    def of(cls, comment: Comment, bot: int) -> Words | None:
        """None for one of the bot's that stands as it was written, and for one that is nowhere."""
        ref, own = place(comment), comment.user.id == bot
        if ref is None or (own and comment.updated_at == comment.created_at):
            return None
        said = f"{comment.id} {comment.updated_at.isoformat()} {comment.body}"
        digest = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
        marks = boxes(comment.body) if own else None
        return cls(ref, comment.id, comment.updated_at, digest, marks)

    def asks(self, known: Known | None) -> bool:
        """Whether it asks for something: boxes stand otherwise than the bot leaves them."""
        if self.boxes is None:
            return True
        held = known is not None and known.status == Status.HOLD.value
        left = {HOLD: held}
        return any(on is not left.get(action, False) for action, on in self.boxes.items())

    def touched(self, known: Known | None) -> bool:
        """Whether it is the report, and somebody else wrote it last."""
        if known is None or known.comment_id != self.id or not known.comment_at:
            return False
        return self.at != datetime.fromisoformat(known.comment_at)


@dataclass(frozen=True, slots=True)
class Hear:
    """What was missed on one issue: comments in their order; `opening`: its text, too.

    `digest` is the same for the same words.
    """

    ref: IssueRef
    comments: tuple[int, ...]
    opening: bool
    digest: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be done: what to hear, then what to look at."""

    looks: tuple[IssueRef, ...] = ()
    hears: tuple[Hear, ...] = ()


def to_hear(words: Iterable[Words], opened: Iterable[Change]) -> tuple[Hear, ...]:
    """One of it for each issue; `opened` are those whose text is to be heard."""
    texts = {change.ref: change for change in opened}
    said: dict[IssueRef, list[Words]] = {ref: [] for ref in texts}
    for one in sorted(words, key=lambda one: one.id):
        said.setdefault(one.ref, []).append(one)
    return tuple(_hear(ref, texts.get(ref), said[ref]) for ref in sorted(said))


def _hear(ref: IssueRef, text: Change | None, said: Iterable[Words]) -> Hear:
    parts = [f"{ref.key}", *([f"opened {text.id}"] if text else []), *(one.digest for one in said)]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    return Hear(ref, tuple(one.id for one in said), text is not None, digest)


def place(comment: Comment) -> IssueRef | None:
    """The issue or pull request on which a comment stands, by its address."""
    found = _PLACE.search(comment.issue_url or comment.pull_request_url)
    return IssueRef(found[1], found[2], int(found[3])) if found else None
