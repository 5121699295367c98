"""What the bot does about each family of events."""
