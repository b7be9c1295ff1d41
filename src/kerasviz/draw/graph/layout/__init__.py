"""Choose where the boxes of a layered graph are, and how lines run between them."""
