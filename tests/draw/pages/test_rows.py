"""Which panels share a row of a new figure, against all rows and sizes that there are."""

import itertools
import math

import numpy as np
import pytest

from kerasviz.draw.pages import rows
from kerasviz.draw.pages.rows import PanelSizes, fill_rows

GAP = 0.24


def random_panels(rng, count):
    """Return panels of three sizes each, which are not alike."""
    panels = []
    for _ in range(count):
        widths, heights = 2 * np.array([0.6, 1, 1.5]), rng.uniform(0.7, 1.8, 3)
        widths = widths * rng.uniform(0.8, 1.3)
        areas = 0.8 * widths * heights
        panels.append(
            PanelSizes(widths=widths, heights=heights, areas=areas, usual=float(areas[1]))
        )
    return panels


def worth(panel, choice):
    """Return the area of a size, less the usual one times how far it is from that."""
    off = math.log(panel.areas[choice] / panel.usual)
    return panel.areas[choice] - panel.usual * off**2


def divisions(count):
    """Yield how many panels may be in each row."""
    for cuts in itertools.product([False, True], repeat=count - 1):
        ends = [n + 1 for n, cut in enumerate(cuts) if cut] + [count]
        yield [end - start for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def cost_of(panels, width, counts, choices):
    """Return the area that is left empty; infinite where a row is wider than the page."""
    height, start = 0.0, 0
    for count in counts:
        row = [(panels[n], choices[n]) for n in range(start, start + count)]
        needed = sum(panel.widths[choice] for panel, choice in row) + GAP * (count - 1)
        if needed > width + 1e-6:
            return math.inf
        height += max(panel.heights[choice] for panel, choice in row) + GAP
        start += count
    gain = sum(worth(panel, choice) for panel, choice in zip(panels, choices, strict=True))
    tall = max(0.0, height - width)
    return width * (height + rows.TALL_COST * tall) - gain


@pytest.mark.parametrize("seed", range(6))
def test_rows_leave_as_little_empty_as_any_others_on_such_a_page(seed):
    rng = np.random.default_rng(seed)
    panels = random_panels(rng, 3 + seed % 2)
    found = fill_rows(panels, GAP)
    least = min(
        cost_of(panels, found.width, counts, choices)
        for counts in divisions(len(panels))
        for choices in itertools.product(range(3), repeat=len(panels))
    )
    assert sum(found.counts) == len(panels)
    own = cost_of(panels, found.width, found.counts, found.choices)
    assert own == pytest.approx(least)
    assert found.cost == pytest.approx(own)
