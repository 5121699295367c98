"""Setting the bot up in a Gitea, and taking it away again."""
