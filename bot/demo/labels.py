"""Labels of a repository, and setting them on issues.

Odd but measured: a name may exist twice, an unknown name is ignored, every call that could have
changed something sends a webhook, replacing sends it with no labels, clearing with the old ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.demo import shapes
from bot.demo.notices import tell
from bot.demo.records import Issue, Label, Repository, Right, User
from bot.demo.refusals import NOT_REPOSITORY_WRITER, Refused, not_found, required
from bot.demo.world import World


def create_label(
    world: World,
    doer: User,
    repository: Repository,
    *,
    name: str,
    color: str,
    description: str = "",
    exclusive: bool = False,
) -> Label:
    """A new label, also when one of that name exists."""
    world.demand(doer, repository, Right.WRITE, NOT_REPOSITORY_WRITER)
    if not name:
        raise required("Name")
    label = Label(world.state.next_id("label"), name, plain_color(color), description, exclusive)
    repository.labels[label.id] = label
    return label


def plain_color(text: str) -> str:
    """Six hexadecimal digits in lower case; raises the 422 Gitea gives."""
    digits = text.strip().lower().removeprefix("#")
    if re.fullmatch(r"[0-9a-f]{3}", digits):
        digits = "".join(2 * digit for digit in digits)
    if not re.fullmatch(r"[0-9a-f]{6}", digits):
        raise Refused(422, f"invalid color: #{text.removeprefix('#')}")
    return digits


def edit_label(
    world: World,
    doer: User,
    repository: Repository,
    label: Label,
    *,
    name: str | None = None,
    color: str | None = None,
    description: str | None = None,
    exclusive: bool | None = None,
) -> None:
    """Change a label; None leaves a thing as it is."""
    world.demand(doer, repository, Right.WRITE, NOT_REPOSITORY_WRITER)
    label.name = label.name if name is None else name
    label.color = label.color if color is None else plain_color(color)
    label.description = label.description if description is None else description
    label.exclusive = label.exclusive if exclusive is None else exclusive


def delete_label(world: World, doer: User, repository: Repository, number: int) -> None:
    """Delete a label and take it from every issue, without a word; an unknown one is no error."""
    world.demand(doer, repository, Right.WRITE, NOT_REPOSITORY_WRITER)
    label = repository.labels.pop(number, None)
    for issue in repository.issues.values():
        if label in issue.labels:
            issue.labels.remove(label)


def find_label(repository: Repository, number: int) -> Label:
    """By id; raises the plain 404."""
    try:
        return repository.labels[number]
    except KeyError:
        raise not_found() from None


def known_labels(repository: Repository, wanted: Sequence[int | str]) -> list[Label]:
    """The labels of these ids or names, by id; unknown ones are ignored, a name may give two."""
    return [
        label for label in repository.labels.values() if label.id in wanted or label.name in wanted
    ]


def add_labels(world: World, issue: Issue, labels: list[Label]) -> None:
    """Put labels on an issue; an exclusive one pushes out the others of its scope."""
    for label in labels:
        if label in issue.labels:
            continue
        if label.scope:
            issue.labels = [one for one in issue.labels if one.scope != label.scope]
        issue.labels.append(label)
        issue.updated = world.state.now()


def label_issue(
    world: World, doer: User, issue: Issue, wanted: Sequence[int | str], *, replace: bool = False
) -> None:
    """Add labels by id or name, or make them the only ones."""
    world.demand(doer, issue.repository, Right.WRITE, "write permission is required")
    labels = known_labels(issue.repository, wanted)
    if replace:
        kept = [one for one in issue.labels if one in labels]
        if kept != issue.labels:
            issue.labels = kept
            issue.updated = world.state.now()
    add_labels(world, issue, labels)
    tell(world, "label_updated", issue, doer, "label", labels=[] if replace else None)


def unlabel_issue(world: World, doer: User, issue: Issue, number: int) -> None:
    """Take one label off, by id."""
    world.demand(doer, issue.repository, Right.WRITE)
    label = issue.repository.labels.get(number)
    if label is None:
        raise Refused(422, "label does not exist [label_id: 0]")
    if label in issue.labels:
        issue.labels.remove(label)
        issue.updated = world.state.now()
    tell(world, "label_updated", issue, doer, "label")


def clear_labels(world: World, doer: User, issue: Issue) -> None:
    """Take all labels off."""
    world.demand(doer, issue.repository, Right.WRITE)
    before = shapes.labels(world.state, issue)
    if issue.labels:
        issue.labels = []
        issue.updated = world.state.now()
    tell(world, "label_cleared", issue, doer, "label", labels=before)
