"""Many tiles as one picture."""
