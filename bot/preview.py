"""The report for a text, without any server: what the parser and the judgement make of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from bot.config import Settings
from bot.decide import Facts, decide
from bot.errors import UserError
from bot.estimator import SizeLimits
from bot.models import MAX_ISSUE_NUMBER, Dependency, IssueRef, Metadata, RefState, Report, Source
from bot.parser import parse
from bot.render import Renderer

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"


@dataclass(frozen=True, slots=True)
class Text:
    """An issue as it is handed in."""

    issue: IssueRef
    title: str
    body: str

    @classmethod
    def from_json(cls, line: str) -> Text:
        """`{"repository", "number", "title", "body"}`; raises UserError for anything else."""
        try:
            given = json.loads(line)
        except (ValueError, RecursionError):
            raise UserError("not JSON") from None
        if not isinstance(given, dict):
            raise UserError("not an object with repository, number, title and body")
        title, body = given.get("title") or "", given.get("body") or ""
        if not isinstance(title, str) or not isinstance(body, str):
            raise UserError("title and body are texts")
        return cls(_issue(given.get("repository"), given.get("number")), title, body)

    @classmethod
    def from_markdown(cls, text: str) -> Text:
        """A text whose first line may be its title, as `# Title`."""
        text = text.removeprefix("\ufeff")
        first, _, rest = text.partition("\n")
        issue = IssueRef("owner", "repository", MAX_ISSUE_NUMBER)  # one that no text names
        if first.startswith("# "):
            return cls(issue, first[2:].strip(), rest)
        return cls(issue, "", text)


def _issue(repository: JSON, number: JSON) -> IssueRef:
    name = "owner/repository" if repository is None else repository
    number = 1 if number is None else number
    found = re.fullmatch(r"([^\s/#!]+)/([^\s/#!]+)", name) if isinstance(name, str) else None
    if not found or type(number) is not int or not 1 <= number <= MAX_ISSUE_NUMBER:
        raise UserError('repository is "owner/name" and number a whole number from 1')
    return IssueRef(found[1], found[2], number)


class Previewer:
    """Makes reports of texts, by the settings in force; asks nobody anything."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._renderer = Renderer()

    def markdown(self, text: Text) -> str:
        """The report as the comment would stand there, with every blocker open."""
        report = self._renderer.report(self._report(text, self._metadata(text)))
        return report.replace(f"#35;{MAX_ISSUE_NUMBER}", "this issue:")  # it has no number yet

    def as_json(self, text: Text) -> dict[str, JSON]:
        """What was read (`metadata`) and what was made of it (`report`)."""
        metadata = self._metadata(text)
        report = self._report(text, metadata)
        agent = report.assignment.agent
        return {
            "issue": str(text.issue),
            "metadata": {
                "blocks": _refs(metadata.blocks, text.issue),
                "blocked_by": _refs(metadata.blocked_by, text.issue),
                "resolved": _refs(metadata.resolved, text.issue),
                "unreadable": list(metadata.unreadable),
                "difficulty": metadata.difficulty.value if metadata.difficulty else None,
                "estimated_context": metadata.estimated_context,
                "assigned_agent": metadata.assigned_agent,
                "files": list(metadata.files),
                "files_to_modify": metadata.files_to_modify,
                "implementation_tokens": metadata.implementation_tokens,
                "test_tokens": metadata.test_tokens,
            },
            "report": {
                "status": report.status.value,
                "context": report.estimate.tokens,
                "context_source": report.estimate.source.value,
                "low": report.estimate.low,
                "high": report.estimate.high,
                "size": report.size.value,
                "difficulty": report.difficulty.value,
                "difficulty_source": report.difficulty_source.value,
                "agent": agent.name if agent else None,
                "warnings": [warning.kind.value for warning in report.warnings],
            },
        }

    def _metadata(self, text: Text) -> Metadata:
        hosts = self._settings.gitea.hosts or None
        return parse(text.body, issue=text.issue, title=text.title, hosts=hosts)

    def _report(self, text: Text, metadata: Metadata) -> Report:
        limits = self._settings.limits
        return decide(
            Facts(
                issue=text.issue,
                title=text.title,
                text=f"{text.title}\n\n{text.body}",
                metadata=metadata,
                blockers=_assumed_open(metadata.blocked_by),
                waiting=_assumed_open(metadata.blocks),
                agents=self._settings.roster,
                share=limits.share,
                limits=SizeLimits(limits.small, limits.medium, limits.large),
            )
        )


def _assumed_open(refs: Iterable[IssueRef]) -> tuple[Dependency, ...]:
    return tuple(Dependency(ref, RefState.OPEN, (Source.DECLARED,)) for ref in refs)


def _refs(refs: Iterable[IssueRef], issue: IssueRef) -> list[JSON]:
    """A number in the same repository, else `owner/repo#n`."""
    return [ref.number if ref.key[0] == issue.key[0] else str(ref) for ref in refs]
