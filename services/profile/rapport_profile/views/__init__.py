"""From state and opened events to what the outside sees. Nothing here touches the outside."""
