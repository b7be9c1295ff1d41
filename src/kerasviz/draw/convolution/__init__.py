"""Draw a window that slides over an input."""
