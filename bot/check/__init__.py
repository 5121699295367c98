"""What may keep the bot from working, each with why it matters and what to do."""
