"""What the outside says and sees; never the domain itself."""
