"""The public `plot_*` functions, where models and drawing meet."""
