"""Read the architecture of a model: its boxes, its connections, and the words in them."""
