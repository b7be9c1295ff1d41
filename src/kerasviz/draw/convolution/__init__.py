"""A window that moves over an input, as a picture."""
