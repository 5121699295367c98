"""What every action needs: the state, and somebody to tell about it."""

from __future__ import annotations

from bot.demo.deliveries import Deliveries
from bot.demo.records import Repository, Right, User
from bot.demo.refusals import Refused, forbidden, not_found
from bot.demo.shapes import Json
from bot.demo.state import Clock, State, utc_now


class World:
    """The state and the queue of webhooks."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self.state = State(clock)
        self.deliveries = Deliveries(self.state)

    def announce(self, repository: Repository, event_type: str, payload: Json) -> None:
        """Send `payload` to every hook that wants this type of event from this repository."""
        self.deliveries.announce(repository, event_type, payload)

    def demand(
        self, doer: User | None, repository: Repository, right: Right, message: str = ""
    ) -> None:
        """Raise a 403 (404 for what `doer` may not even see) unless the right is there."""
        has = self.state.right(doer, repository)
        if has < Right.READ:
            raise not_found()
        if has < right:
            raise forbidden(message)

    def demand_live(self, repository: Repository, so: str = "is archived") -> None:
        """Raise the 423 of an archived repository.

        Gitea asks for it where something is opened, commented, committed or made to wait. Issues
        there can still be edited, assigned, labelled and closed through the API.
        """
        if repository.archived:
            raise Refused(423, f"{repository.full_name} {so}")

    def person(self, login: str, otherwise: Refused) -> User:
        """The user of that login, or the refusal."""
        found = self.state.user(login)
        if found is None or found.is_organization:
            raise otherwise
        return found
