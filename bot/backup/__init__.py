"""Backups of what the bot keeps: one file, made while it runs, and put back while it does not."""
