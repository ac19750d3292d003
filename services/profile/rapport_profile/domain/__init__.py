"""What a profile is, and how each event changes it. Nothing here touches the outside world."""
