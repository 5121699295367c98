"""Who is listened to, and what they ask for: the commands of an event, a comment or a text."""

from __future__ import annotations

from collections.abc import Collection

from bot.boxes import commands_of, standing
from bot.commands import Commands, Said, find
from bot.gitea.events import Event, EventComment, is_program
from bot.gitea.models import Comment, Issue, User
from bot.models import IssueRef
from bot.requests import Request, Wanted, added, closing_commands, name_of, wanted

_UNHEARD = "while I could not hear it, and Gitea does not say by whom"
EDITED_COMMENT = f"this comment was edited {_UNHEARD}; say it again in a new comment"
EDITED_TEXT = "the text was edited, and Gitea does not say by whom; say it again in a comment"
TICKED = f"this was ticked {_UNHEARD}; tick it again"


class Listener:
    """Reads what is said to the bot; `bots` are the other bots that are answered, in lower case."""

    def __init__(self, bot: User, commands: Commands, bots: frozenset[str]) -> None:
        self._bot = bot
        self._verbs = [command.verb for command in commands]
        self._bots = bots

    def find(self, text: str) -> tuple[Said, ...]:
        """The commands of a text, in order."""
        return tuple(find(text, bot=self._bot.login, known=self._verbs))

    def is_me(self, login: str) -> bool:
        """Whether that is the bot."""
        return self._bot.is_called(login)

    def listens_to(self, event: Event) -> bool:
        """Not to itself, and to other bots only where the settings name them."""
        return self._listens(event.sender, program=event.sent_by_a_program)

    def _listens_to_author(self, author: User) -> bool:
        return self._listens(author.login, program=is_program(author.id, author.login))

    def _listens(self, login: str, *, program: bool) -> bool:
        return not self.is_me(login) and (not program or login.lower() in self._bots)

    # -- what an event brings ---------------------------------------------------------------

    def request(self, event: Event) -> Request | None:
        """The commands that an event brings."""
        issue, comment = event.issue, event.comment
        if issue is None:
            return None
        if event.name == "issues" and event.action == "opened":
            said = closing_commands(self.find(event.body), event.body)
            return _request(issue, event.sender, said, f"issue:{issue}", is_pull=event.is_pull)
        if event.name != "issue_comment" or comment is None:
            return None
        if event.action == "edited" and self.is_me(comment.author):
            said = commands_of(_before(event, comment), comment.body)
            origin = f"comment:{comment.id}:{comment.updated_at}"
            return _request(
                issue, event.sender, said, origin, comment.id, is_pull=event.is_pull, boxes=True
            )
        there = self.find(comment.body)
        if event.action == "edited" and comment.author.lower() == event.sender.lower():
            said = added(self.find(_before(event, comment)), there)
        elif event.action == "created":
            said = there
        else:
            return None
        beside = tuple(one for one in there if one not in said)
        origin = f"comment:{comment.id}"
        return _request(
            issue, event.sender, said, origin, comment.id, is_pull=event.is_pull, beside=beside
        )

    def passed_over(self, event: Event) -> tuple[Wanted, ...]:
        """The commands that an event shows and that are not to be done, now or later.

        Those that somebody wrote into another person's comment, and those that came into a text
        after the issue was opened.
        """
        comment, before = event.comment, event.changes.body_before
        if event.issue is None or event.action != "edited" or before is None:
            return ()
        if event.name == "issues":
            was, now = (closing_commands(self.find(t), t) for t in (before, event.body))
            return wanted(f"issue:{event.issue}", added(was, now))
        if comment is None or self.is_me(comment.author):
            return ()
        if comment.author.lower() == event.sender.lower():
            return ()
        return wanted(f"comment:{comment.id}", added(self.find(before), self.find(comment.body)))

    # -- what is found by asking ------------------------------------------------------------

    def in_text(self, issue: Issue) -> Request | None:
        """The commands that close an issue's text, which are done for who opened it."""
        if issue.is_pull or not self._listens_to_author(issue.user):
            return None
        said = closing_commands(self.find(issue.body), issue.body)
        doubt = EDITED_TEXT if issue.edited else ""
        return _request(issue.ref, issue.user.login, said, f"issue:{issue.ref}", doubt=doubt)

    def in_comment(self, issue: Issue, comment: Comment) -> Request | None:
        """The commands of a person's comment."""
        if not self._listens_to_author(comment.user):
            return None
        return _request(
            issue.ref,
            comment.user.login,
            self.find(comment.body),
            f"comment:{comment.id}",
            comment.id,
            is_pull=issue.is_pull,
            doubt=EDITED_COMMENT if comment.edited else "",
        )

    def holds_commands(self, written: Comment | Issue) -> bool:
        """Whether anything in a comment, or at the end of a text, may be for the bot."""
        if isinstance(written, Issue):
            found = self.in_text(written)
            return found is not None and bool(found.wanted)
        if self.is_me(written.user.login):
            return bool(standing(written.body))
        return self._listens_to_author(written.user) and bool(self.find(written.body))


def _before(event: Event, comment: EventComment) -> str:
    before = event.changes.body_before
    return comment.body if before is None else before  # None: not the text was edited


def _request(
    issue: IssueRef,
    sender: str,
    said: Collection[Said],
    origin: str,
    comment: int | None = None,
    *,
    is_pull: bool = False,
    boxes: bool = False,
    beside: tuple[Said, ...] = (),
    doubt: str = "",
) -> Request:
    return Request(
        issue,
        sender,
        wanted(origin, said),
        origin,
        name_of(origin, said),
        comment,
        is_pull,
        boxes,
        beside,
        doubt,
    )
