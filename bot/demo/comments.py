"""Comments and reactions."""

from __future__ import annotations

from bot.demo.notices import tell_comment
from bot.demo.records import Comment, Issue, Reaction, Repository, Right, User
from bot.demo.references import touch_mentioned
from bot.demo.refusals import forbidden, no_comment, required
from bot.demo.world import World

REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def find_comment(repository: Repository, number: int) -> Comment:
    """By id within a repository; raises the 404 of a comment."""
    for issue in repository.issues.values():
        for comment in issue.comments:
            if comment.id == number:
                return comment
    raise no_comment(number)


def add_comment(world: World, doer: User, issue: Issue, body: str) -> Comment:
    """Comment on an issue; on a locked one only writers and administrators may."""
    world.demand(doer, issue.repository, Right.READ)
    world.demand_live(issue.repository)
    if not body:
        raise required("Body")
    writer = world.state.right(doer, issue.repository) >= Right.WRITE
    if issue.locked and not writer:
        raise forbidden("You cannot comment on a locked issue.")
    now = world.state.now()
    comment = Comment(world.state.next_id("comment"), issue, doer, body, now, now)
    issue.comments.append(comment)
    issue.updated = now
    touch_mentioned(world.state, body, issue)
    tell_comment(world, "created", comment, doer)
    return comment


def edit_comment(world: World, doer: User, comment: Comment, body: str) -> None:
    """Change a comment; its author or a writer may. The same text again is nothing."""
    world.demand_live(comment.issue.repository)
    _demand_hold(world, doer, comment)
    if not body:
        raise required("Body")
    if body == comment.body:
        return
    was, comment.body = comment.body, body
    comment.updated = world.state.now()
    touch_mentioned(world.state, body, comment.issue)
    tell_comment(world, "edited", comment, doer, was=was)


def delete_comment(world: World, doer: User, comment: Comment) -> None:
    """Delete a comment; its author or a writer may."""
    _demand_hold(world, doer, comment)
    comment.issue.comments.remove(comment)
    tell_comment(world, "deleted", comment, doer)


def _demand_hold(world: World, doer: User, comment: Comment) -> None:
    right = Right.READ if doer is comment.poster else Right.WRITE
    world.demand(doer, comment.issue.repository, right)


def react(
    world: World, doer: User, issue: Issue, reactions: list[Reaction], content: str
) -> tuple[Reaction, bool]:
    """React to an issue or one of its comments; also says whether the reaction is new."""
    _demand_reaction(world, doer, issue)
    if content not in REACTIONS:
        raise forbidden(f"'{content}' is not an allowed reaction")
    for one in reactions:
        if one.user is doer and one.content == content:
            return one, False
    reactions.append(Reaction(doer, content, world.state.now()))
    return reactions[-1], True


def unreact(
    world: World, doer: User, issue: Issue, reactions: list[Reaction], content: str
) -> None:
    """Take a reaction back; none is no error."""
    _demand_reaction(world, doer, issue)
    reactions[:] = [r for r in reactions if not (r.user is doer and r.content == content)]


def _demand_reaction(world: World, doer: User, issue: Issue) -> None:
    right = Right.WRITE if issue.locked else Right.READ
    world.demand(doer, issue.repository, right, "no permission to change reaction")
