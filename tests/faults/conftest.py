"""Fixtures of the tests that break things."""

from __future__ import annotations

from tests.databases import database_url, postgres, sqlite_url

__all__ = ["database_url", "postgres", "sqlite_url"]
