"""Curves and histograms."""
