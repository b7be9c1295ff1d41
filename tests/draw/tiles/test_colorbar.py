"""Which numbers are beside a colour bar."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from kerasviz.draw.text import font_size
from kerasviz.draw.tiles.colorbar import BAR_LINE, BarLocator

LIMITS = [(0, 1), (-1.3, 1.3), (0, 0.037), (-250, 700)]


def numbers_beside(limits, height):
    """Return where the numbers of a bar are, in points from its foot."""
    figure = Figure(figsize=(2, 4))
    cax = figure.add_axes((0.1, 0.1, 0.1, height / 72 / 4))
    figure.colorbar(ScalarMappable(Normalize(*limits)), cax=cax)
    cax.yaxis.set_major_locator(BarLocator())
    ticks = np.sort(cax.yaxis.get_majorticklocs())
    return (ticks - limits[0]) / (limits[1] - limits[0]) * height


@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_numbers_beside_a_bar_are_apart_and_as_many_as_tell_a_scale(limits):
    with plt.rc_context({"font.size": 10}):
        line = BAR_LINE * font_size("small")
        for height in np.linspace(0.5, 12, 60) * line:
            at = numbers_beside(limits, height)
            assert (np.diff(at) >= line - 1e-6).all()
            assert len(at) >= min(2, int(height / line / 2.5))
