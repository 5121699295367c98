"""What the bot remembers: a cache of Gitea plus what people said."""
