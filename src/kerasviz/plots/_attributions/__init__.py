"""Build pictures of attributions and of mistakes: rows, columns, and all that is said of them."""
