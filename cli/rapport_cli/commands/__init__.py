"""One module a verb of the command line. The result goes to stdout, the talk to stderr."""
