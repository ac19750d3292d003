"""What moves a customer, purely: triggers, state, gates, decisions."""
