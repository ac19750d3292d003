"""Starts and stops a whole Rapport on this machine, and leaves nothing behind."""
