"""Explore a model in a notebook: the page of `report`, of which each part is computed when needed.

From the bottom up: `dropped_images` (what a browser sends to what a model takes), `session`
(messages to answers, without any widget), `widget` (the one module that imports anywidget), and
`exploring`, which holds the public function.
"""
