"""Random ids for people, a key for each, and the means to make them unreadable for ever."""
