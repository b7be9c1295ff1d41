"""Explain why a model answers as it does, with the evidence beside the explanation."""
