"""Doing things as a person: what a test or the story says in one line each.

Everything goes through the code of the API, so the same rights count and the same webhooks go out.
"""

from __future__ import annotations

from bot.demo import comments, commits, dependencies, hooks, issues, labels, pulls, repositories
from bot.demo.issues import Draft, Edit
from bot.demo.markdown import ticked
from bot.demo.records import Comment, Commit, File, Hook, Issue, Label, Repository, User
from bot.demo.repositories import Settings
from bot.demo.world import World


class Actor:
    """Somebody at work in one repository; issues are meant by number."""

    def __init__(self, world: World, user: User, repository: Repository) -> None:
        self.world = world
        self.user = user
        self.repository = repository

    def issue(self, number: int) -> Issue:
        """An issue as it is now."""
        return issues.find_issue(self.repository, number)

    def open(
        self,
        title: str,
        body: str = "",
        *,
        assignees: list[str] | None = None,
        labels: list[str] | None = None,
    ) -> Issue:
        """Open an issue."""
        names = labels or []
        known = [one.id for one in self.repository.labels.values() if one.name in names]
        draft = Draft(title=title, body=body, assignees=assignees or [], labels=known)
        return issues.open_issue(self.world, self.user, self.repository, draft)

    def edit(self, number: int, *, title: str | None = None, body: str | None = None) -> Issue:
        """Change the title or the text."""
        return self._edit(number, Edit(title=title, body=body))

    def assign(self, number: int, *logins: str) -> Issue:
        """Add assignees."""
        now = [person.login for person in self.issue(number).assignees]
        return self._edit(number, Edit(assignees=[*now, *logins]))

    def unassign(self, number: int, *logins: str) -> Issue:
        """Remove assignees; all of them when nobody is named."""
        gone = {login.lower() for login in logins}
        now = [p.login for p in self.issue(number).assignees if logins]
        return self._edit(number, Edit(assignees=[one for one in now if one.lower() not in gone]))

    def close(self, number: int) -> Issue:
        """Close."""
        return self._edit(number, Edit(state="closed"))

    def reopen(self, number: int) -> Issue:
        """Reopen."""
        return self._edit(number, Edit(state="open"))

    def plan(self, number: int, milestone: int) -> Issue:
        """Put in a milestone, by id; 0 takes it out."""
        return self._edit(number, Edit(milestone=milestone))

    def _edit(self, number: int, edit: Edit) -> Issue:
        issue = self.issue(number)
        issues.edit_issue(self.world, self.user, issue, edit)
        return issue

    def delete(self, number: int) -> None:
        """Delete an issue."""
        issues.delete_issue(self.world, self.user, self.issue(number))

    def lock(self, number: int) -> None:
        """Lock an issue."""
        issues.set_lock(self.world, self.user, self.issue(number), locked=True)

    def comment(self, number: int, body: str) -> Comment:
        """Comment on an issue."""
        return comments.add_comment(self.world, self.user, self.issue(number), body)

    def edit_comment(self, comment: Comment | int, body: str) -> Comment:
        """Change a comment."""
        found = self._comment(comment)
        comments.edit_comment(self.world, self.user, found, body)
        return found

    def delete_comment(self, comment: Comment | int) -> None:
        """Delete a comment."""
        comments.delete_comment(self.world, self.user, self._comment(comment))

    def tick(self, comment: Comment | int, box: int = 0, *, on: bool = True) -> Comment:
        """Tick or clear a task-list box of a comment, counted from 0, as the page does."""
        found = self._comment(comment)
        return self.edit_comment(found, ticked(found.body, box, on=on))

    def _comment(self, comment: Comment | int) -> Comment:
        if isinstance(comment, Comment):
            return comment
        return comments.find_comment(self.repository, comment)

    def react(self, number: int, content: str = "+1") -> None:
        """React to an issue."""
        issue = self.issue(number)
        comments.react(self.world, self.user, issue, issue.reactions, content)

    def label(self, number: int, *names: str) -> None:
        """Put labels on an issue."""
        labels.label_issue(self.world, self.user, self.issue(number), names)

    def unlabel(self, number: int, name: str) -> None:
        """Take a label off an issue."""
        issue = self.issue(number)
        for label in [one for one in issue.labels if one.name == name]:
            labels.unlabel_issue(self.world, self.user, issue, label.id)

    def create_label(self, name: str, color: str = "#888888", *, exclusive: bool = False) -> Label:
        """Make a label."""
        return labels.create_label(
            self.world, self.user, self.repository, name=name, color=color, exclusive=exclusive
        )

    def block(self, number: int, by: int | Issue) -> None:
        """Let an issue wait natively for another one."""
        blocker = by if isinstance(by, Issue) else self.issue(by)
        dependencies.add_dependency(self.world, self.user, self.issue(number), blocker)

    def unblock(self, number: int, by: int | Issue) -> None:
        """Take that back."""
        blocker = by if isinstance(by, Issue) else self.issue(by)
        dependencies.remove_dependency(self.world, self.user, self.issue(number), blocker)

    def write(
        self,
        files: dict[str, int | bytes | str | None],
        *,
        message: str = "",
        new_branch: str = "",
    ) -> Commit:
        """Commit files, by size or content (None deletes one)."""
        changes = {p: None if given is None else File.of(given) for p, given in files.items()}
        return commits.write_files(
            self.world,
            self.user,
            self.repository,
            changes,
            message=message,
            new_branch=new_branch,
        )

    def open_pull(self, title: str, head: str, body: str = "") -> Issue:
        """Propose to merge a branch into the default one."""
        return pulls.open_pull(
            self.world,
            self.user,
            self.repository,
            title=title,
            head=head,
            base=self.repository.default_branch,
            body=body,
        )

    def merge(self, number: int) -> None:
        """Merge a pull request."""
        pulls.merge(self.world, self.user, self.issue(number), "merge")

    def rename_repository(self, name: str) -> None:
        """Give the repository another name."""
        self._set(Settings(name=name))

    def archive_repository(self, *, archived: bool = True) -> None:
        """Keep the repository only to be read, or take that back."""
        self._set(Settings(archived=archived))

    def switch_dependencies(self, *, on: bool) -> None:
        """Let Gitea keep dependencies between the issues of the repository, or not."""
        self._set(Settings(has_issues=True, dependencies_on=on))

    def _set(self, wish: Settings) -> None:
        repositories.edit_repository(self.world, self.user, self.repository, wish)

    def transfer_repository(self, owner: str) -> None:
        """Give the repository to another owner."""
        repositories.transfer_repository(self.world, self.user, self.repository, owner)

    def delete_repository(self) -> None:
        """Delete the repository."""
        repositories.delete_repository(self.world, self.user, self.repository)

    def test_hook(self, hook: Hook) -> None:
        """Send a test delivery."""
        hooks.test_delivery(self.world, self.user, hook, self.repository)
