"""How a page of the caller's size is divided between panels."""

import math

import numpy as np
import pytest

from kerasviz.draw.pages.cells import Use, equal_cells, fitted_cells
from kerasviz.draw.panel_grid import Rect

PAGE = (10.0, 4.0)


def fills_all(_, width, height):
    return Use(width, height, width * height)


def of_aspect(*aspects):
    """Return panels of a width to height each, as large as their cells allow."""

    def use(index, width, height):
        wide = min(width, height * aspects[index])
        return Use(wide, wide / aspects[index], wide * wide / aspects[index])

    return use


def areas(cells, use):
    return [use(i, c.width * PAGE[0], c.height * PAGE[1]).area for i, c in enumerate(cells)]


def test_panels_that_fill_their_cells_have_equal_ones():
    assert fitted_cells(PAGE, 4, 2, fills_all) == equal_cells(4, 2)


def test_the_last_row_fills_the_page():
    cells = fitted_cells(PAGE, 3, 2, fills_all, left=0.2)
    assert [round(cell.left, 6) for cell in cells] == [0.2, 0.6, 0.2]
    assert math.isclose(cells[2].left + cells[2].width, 1)


def test_a_narrow_panel_leaves_its_room_to_a_wide_one():
    use = of_aspect(0.5, 4)
    cells = fitted_cells(PAGE, 2, 2, use)
    assert cells[0].width < 0.25
    assert sum(areas(cells, use)) > 1.4 * sum(areas(equal_cells(2, 2), use))


@pytest.mark.parametrize("seed", range(5))
def test_cells_cover_the_page_once_and_never_show_less(seed):
    rng = np.random.default_rng(seed)
    count, columns = int(rng.integers(1, 8)), int(rng.integers(1, 5))
    use = of_aspect(*np.exp(rng.uniform(-2, 2, count)))
    cells = fitted_cells(PAGE, count, columns, use)
    assert sum(areas(cells, use)) >= sum(areas(equal_cells(count, columns), use))
    assert all(min(cell.width, cell.height, cell.left, cell.bottom + 1e-9) >= 0 for cell in cells)
    assert not any(overlap(a, b) for i, a in enumerate(cells) for b in cells[:i])


def overlap(a: Rect, b: Rect) -> bool:
    across = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    down = min(a.bottom + a.height, b.bottom + b.height) - max(a.bottom, b.bottom)
    return min(across, down) > 1e-9
