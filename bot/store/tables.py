"""The tables. What Gitea knows too is a cache; what only people said is kept here alone.

Repositories are keyed by their `owner/repo` in lower case, as Gitea compares them; the spelling
to show stands beside it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa


class Moment(sa.TypeDecorator[datetime]):
    """A moment in UTC, aware also where the database keeps no time zone, or has one of its own."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """The moment a column holds, in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

issues = sa.Table(
    "issues",
    metadata,
    sa.Column("repository", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("shown", sa.Text, nullable=False),  # owner/repo as Gitea spells it
    sa.Column("coordinated", sa.Boolean, nullable=False, default=False),
    sa.Column("comment_id", sa.BigInteger),
    sa.Column("title", sa.Text, nullable=False, default=""),
    sa.Column("state", sa.Text, nullable=False, default=""),  # open, closed, gone, or "" unknown
    sa.Column("status", sa.Text, nullable=False, default=""),
    sa.Column("agent", sa.Text, nullable=False, default=""),
    sa.Column("cycle", sa.Text, nullable=False, default="[]"),  # JSON: the refs on it
    sa.Column("owed", sa.Text, nullable=False, default="[]"),  # JSON: refs still to be looked at
    sa.Column("stood", sa.Text, nullable=False, default="{}"),  # JSON: what it waited for ▸ state
    sa.Column("notice", sa.Text, nullable=False, default=""),  # what is still to be told
    sa.Column("comment_at", sa.Text, nullable=False, default=""),  # the bot's last write of it
    sa.Column("seen_at", Moment),  # Gitea's time before the last whole look
    sa.Column(
        "labels", sa.Text, nullable=False, default=""
    ),  # JSON: those it was given; "" unknown
    sa.Index("ix_issues_coordinated_status", "coordinated", "status"),
)

writers = sa.Table(
    "writers",  # who edited an issue's text, besides its author
    metadata,
    sa.Column("repository", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("login", sa.Text, primary_key=True),
)

edges = sa.Table(
    "edges",
    metadata,
    sa.Column("repository", sa.Text, primary_key=True),  # the issue that waits …
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("for_repository", sa.Text, primary_key=True),  # … for this one
    sa.Column("for_number", sa.Integer, primary_key=True),
    sa.Column("said_repository", sa.Text, primary_key=True),  # the issue that says so
    sa.Column("said_number", sa.Integer, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("shown", sa.Text, nullable=False),
    sa.Column("for_shown", sa.Text, nullable=False),
    sa.Index("ix_edges_for", "for_repository", "for_number"),
    sa.Index("ix_edges_said", "said_repository", "said_number"),
)

natives = sa.Table(
    "natives",  # Gitea's own dependencies, as far as the bot set them or keeps them off
    metadata,
    sa.Column("repository", sa.Text, primary_key=True),  # the issue that waits …
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("for_repository", sa.Text, primary_key=True),  # … for this one
    sa.Column("for_number", sa.Integer, primary_key=True),
    sa.Column("shown", sa.Text, nullable=False),
    sa.Column("for_shown", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # see bot.mirror.State
    sa.Column("text", sa.Text, nullable=False, default=""),  # digest of the text it is kept off for
    sa.Index("ix_natives_for", "for_repository", "for_number"),
)

watches = sa.Table(
    "watches",  # repositories in which the bot looks for what it missed
    metadata,
    sa.Column("repository", sa.Text, primary_key=True),
    sa.Column("shown", sa.Text, nullable=False),
    sa.Column("forge_id", sa.BigInteger),  # Gitea's id of it, which a new name does not change
    sa.Column("since", Moment, nullable=False),  # Gitea's time: all before was seen
    sa.Column("asked_at", Moment, nullable=False),  # the bot's own time of the last recheck
    sa.Column("swept_at", Moment),  # when it was last looked for what is gone
    sa.Column("archived", sa.Boolean, nullable=False, default=False),
)

policies = sa.Table(
    "policies",  # by which file of its own a repository is judged, and where its mistakes are told
    metadata,
    sa.Column("repository", sa.Text, primary_key=True),
    sa.Column("blob", sa.Text, nullable=False),  # Git's name of the file; "" none
    sa.Column("told_at", sa.Integer),  # the issue whose report tells of the mistakes in it
)

names = sa.Table(
    "names",  # under which names a repository was known, and which was the last one
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("forge_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Index("ix_names_forge_id", "forge_id"),
)

changes = sa.Table(
    "changes",  # which issues' edges or state changed, in order, for the graph in memory
    metadata,
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("repository", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
)

notes = sa.Table(
    "notes",  # single values by name
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

readings = sa.Table(
    "readings",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("tokens_in", sa.Integer, nullable=False),
    sa.Column("tokens_out", sa.Integer, nullable=False),
    sa.Column("read_at", Moment, nullable=False),
)

spending = sa.Table(
    "spending",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("tokens", sa.BigInteger, nullable=False),
)

failures = sa.Table(
    "failures",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("job", sa.Text, nullable=False),  # the work itself, as the queue holds it
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("failed_at", Moment, nullable=False),
)

locks = sa.Table(
    "locks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", Moment, nullable=False),
)

replicas = sa.Table(
    "replicas",  # which are at work, and when (by the database's clock) each was heard of last
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("beat_at", Moment, nullable=False),
)

overrides = sa.Table(
    "overrides",  # what people said by commands, one row for each thing
    metadata,
    sa.Column("repository", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),  # estimate, difficulty, agent, priority, hold, …
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

links = sa.Table(
    "links",  # edges that people added, proposals they accepted, declared edges they took away
    metadata,
    sa.Column("repository", sa.Text, primary_key=True),  # the issue that waits …
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("for_repository", sa.Text, primary_key=True),  # … for this one
    sa.Column("for_number", sa.Integer, primary_key=True),
    sa.Column("shown", sa.Text, nullable=False),
    sa.Column("for_shown", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # added, ignored
    sa.Column("said_repository", sa.Text, nullable=False, default=""),  # where the command stands
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index("ix_links_for", "for_repository", "for_number"),
)

pauses = sa.Table(
    "pauses",
    metadata,
    sa.Column("repository", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

done_commands = sa.Table(
    "done_commands",  # so that what is delivered again is not done again
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("result", sa.Text, nullable=False),  # JSON; what is said of it
    sa.Index("ix_done_commands_by", "by", "at"),
)
