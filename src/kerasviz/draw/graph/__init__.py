"""Lay out and draw a layered graph of boxes."""
