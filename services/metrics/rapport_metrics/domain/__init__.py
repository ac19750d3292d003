"""What each kind of thing counts for: pure functions from events to integer facts."""
