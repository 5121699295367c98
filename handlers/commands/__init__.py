"""Slash commands, one module each; a command is found by its declaration."""
