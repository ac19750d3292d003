"""Who is one person with whom, as the profile service tells it: for services that treat people."""
