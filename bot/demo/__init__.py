"""An embedded forge that behaves like Gitea, and a story to play on it."""
