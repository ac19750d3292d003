"""Predicted customer value: BG/NBD and Gamma-Gamma. Needs `rapport-metrics[clv]`."""
