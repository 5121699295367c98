"""Everything Gitea says no with, in its own words (measured on 1.26.3)."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - it is an answer, not a failure of the forge
    """Gitea refuses: `status`, and a `message` that may be empty.

    `bare` answers have no body at all; a 404 also carries `errors`, unless it is `plain`.
    With `only_words` the body is the message alone, as a JSON string.
    """

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        errors: list[str] | None = None,
        bare: bool = False,
        plain: bool = False,
        only_words: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.bare = bare
        self.plain = plain
        self.only_words = only_words


def not_found(message: str = "not found", *errors: str) -> Refused:
    """404: it does not exist, or the asker may not see it."""
    return Refused(404, message, errors=list(errors) or None)


def no_issue(repository_id: int, number: int) -> Refused:
    """404 as the dependency routes word it."""
    return not_found(
        "IsErrIssueNotExist",
        f"issue does not exist [id: 0, repo_id: {repository_id}, index: {number}]",
    )


def no_comment(number: int) -> Refused:
    """404 for an unknown comment."""
    return not_found("not found", f"comment does not exist [id: {number}, issue_id: 0]")


def forbidden(message: str = "") -> Refused:
    """403; without a message also without a body."""
    return Refused(403, message, bare=not message)


def internal() -> Refused:
    """500 with the empty message that people who are not administrators get to see."""
    return Refused(500)


def required(field: str) -> Refused:
    """422: a field that must be there is missing or empty."""
    return Refused(422, f"[{field}]: Required")


NOT_REPOSITORY_ADMIN = "user should be an owner or a collaborator with admin write of a repository"
NOT_REPOSITORY_WRITER = "user should have a permission to write to a repo"
