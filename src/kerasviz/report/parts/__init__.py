"""Collect the parts of a page: layers, graph, maps, samples, explanations, filters, training."""
