"""Draw frames one after the other: as a GIF, a video or a player."""
