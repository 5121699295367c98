"""Fixtures of the unit tests."""

from __future__ import annotations

from tests.databases import (
    database_url,
    migrated_database,
    migrated_file,
    migrated_sqlite_url,
    migrated_url,
    postgres,
    sqlite_url,
)

__all__ = [
    "database_url",
    "migrated_database",
    "migrated_file",
    "migrated_sqlite_url",
    "migrated_url",
    "postgres",
    "sqlite_url",
]
