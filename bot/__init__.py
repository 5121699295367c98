"""Mosaic Coordinator: a bot user for Gitea that keeps issues ready for AI coding agents."""

__version__ = "0.1.0"
