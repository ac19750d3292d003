"""The preference centre: where a customer says whether and how they want to be spoken to."""
