"""Outputs that are not images: which form they are drawn in, and what is drawn beside them."""
