"""Talking to Gitea: requests, events, and the models of what it answers."""
