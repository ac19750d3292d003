"""What the outside sees; never the domain itself."""
