"""The schema's history, applied at start-up by whoever comes first."""
