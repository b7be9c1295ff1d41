"""Find what is odd about a model, and say it in plain words."""
