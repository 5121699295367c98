"""Whether a PostgreSQL database can be read and written; what is tried is rolled back."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from bot.check.finding import Finding, Grade
from bot.variables import passwords

PATIENCE = 5  # seconds, for a connection
_TABLE = "CREATE TABLE mosaic_check (id INTEGER)"
_SCHEMA = "CREATE SCHEMA mosaic_check"  # the queue has one of its own


def look_at_server(database_url: str) -> tuple[list[Finding], str | None]:
    """What was found, and the version of the schema; None where there is none yet."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, connect_args={"connect_timeout": PATIENCE})
    try:
        with engine.connect() as connection:
            version = _version(connection)
            refused = [
                _tried(connection, one) for one in ([_TABLE] if version else [_TABLE, _SCHEMA])
            ]
            return [_refused(_said(one, database_url)) for one in refused if one], version
    except sa.exc.DBAPIError as error:
        return [_unreachable(_said(error, database_url))], None
    finally:
        engine.dispose()


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("mosaic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM mosaic_version")).scalar()


def _tried(connection: sa.Connection, statement: str) -> sa.exc.DBAPIError | None:
    connection.rollback()
    try:
        connection.execute(sa.text(statement))
    except sa.exc.DBAPIError as error:
        return error
    finally:
        connection.rollback()
    return None


def _said(error: sa.exc.DBAPIError, database_url: str) -> str:
    """What the server or its client said, in a line and without a password."""
    words = " ".join(str(error.orig).split())
    for secret in sorted(passwords(database_url), key=len, reverse=True):
        words = words.replace(secret, "***")
    return words[:300]


def _unreachable(why: str) -> Finding:
    return Finding(
        "storage.unreachable",
        Grade.WRONG,
        f"The database does not let the bot in: {why}",
        "Without it the bot does not start, and takes no work.",
        "Correct DATABASE_URL (address, user, password, name), or start PostgreSQL.",
    )


def _refused(why: str) -> Finding:
    return Finding(
        "storage.refused",
        Grade.WRONG,
        f"The database refuses to be written: {why}",
        "The bot makes its tables there, and a schema for its queue, and changes them at upgrades.",
        "Let the bot's user own the database (ALTER DATABASE name OWNER TO user), and let "
        "DATABASE_URL name a server that is no read-only copy.",
    )
