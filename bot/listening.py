"""Who is listened to, and what they ask for: from an event to the commands in it."""

from __future__ import annotations

from bot.boxes import commands_of
from bot.commands import Commands, Said, find
from bot.gitea.events import Event
from bot.gitea.models import User
from bot.requests import Request, added, closing_commands


class Listener:
    """Reads what is said to the bot; `bots` are the other bots that are answered, in lower case."""

    def __init__(self, bot: User, commands: Commands, bots: frozenset[str]) -> None:
        self._bot = bot
        self._verbs = [command.verb for command in commands]
        self._bots = bots

    def find(self, text: str) -> tuple[Said, ...]:
        """The commands of a text, in order."""
        return tuple(find(text, bot=self._bot.login, known=self._verbs))

    def listens_to(self, event: Event) -> bool:
        """Not to itself, and to other bots only where the settings name them."""
        sender = event.sender.lower()
        if sender == self._bot.login.lower():
            return False
        return not event.sent_by_a_program or sender in self._bots

    def request(self, event: Event) -> Request | None:
        """The commands that an event brings."""
        if event.issue is None:
            return None
        if event.name == "issues" and event.action == "opened":
            said = closing_commands(self.find(event.body), event.body)
            origin = f"issue:{event.issue}"
            return Request(event.issue, event.sender, said, origin, is_pull=event.is_pull)
        if event.name != "issue_comment" or event.comment is None:
            return None
        comment, by = event.comment, event.sender
        before = event.changes.body_before
        if before is None:  # not the text was edited
            before = comment.body
        if event.action == "created":
            said, boxes = self.find(comment.body), False
        elif event.action == "edited" and comment.author.lower() == self._bot.login.lower():
            said = commands_of(before, comment.body)
            boxes = True
        elif event.action == "edited" and comment.author.lower() == by.lower():
            said, boxes = added(self.find(before), self.find(comment.body)), False
        else:
            return None
        origin = f"comment:{comment.id}"
        if boxes:
            origin += f":{comment.updated_at}"
        return Request(event.issue, by, said, origin, comment.id, event.is_pull, boxes)
