"""Looks at a machine and at a running stack, and names the fix of what is wrong."""
