"""The survey page: plain HTML that needs no script and asks no other server for anything."""
