"""Mutants of the code, and the tests that are run on each."""
