"""Divide a page between panels."""
