"""Hold what a picture of a convolution shows: arrays and words, without their layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import Colormap


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvolutionView:
    """The part of a picture that does not change while a window slides.

    Args:
        padded_inputs: Array `(rows, height, width)`: one padded input per row of the picture.
        row_names: The name of each row, empty for a single one.
        is_data: Which rows and which columns of the input hold values, as two boolean arrays.
        kernels: `(rows, window height, window width)`, `None` of a pooling.
        window_shape: Height and width of the window.
        products: Values with the range of all products that will be shown.
        output: `(rows, columns)`.
        titles: The title of each part.
        heading: The text above everything.
        longest_formula: The longest text that will be below everything.
        is_dilated: Whether the window passes over cells.
        counts_padding: Whether a padded cell under the window goes into the result.
        marks_largest: Whether one value under the window is the result.
        is_sequence: Whether the one row of each array is a sequence, which is drawn as a strip.
        color_indices: Where the channels are those of a colour image: for each row 0, 1 or 2, for
            red, green or blue.
        cmap: The colormap of inputs and output, `None` for the usual ones.
        address: The address of the layer.
    """

    padded_inputs: np.ndarray
    row_names: Sequence[str]
    is_data: tuple[np.ndarray, np.ndarray]
    kernels: np.ndarray | None
    window_shape: tuple[int, int]
    products: np.ndarray
    output: np.ndarray
    titles: dict[str, str]
    heading: str
    longest_formula: str
    is_dilated: bool = False
    counts_padding: bool = True
    marks_largest: bool = False
    is_sequence: bool = False
    color_indices: Sequence[int] | None = None
    cmap: str | Colormap | None = None
    address: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts from left to right; each row has all but the output, which there is once."""
        between = () if self.kernels is None else ("kernel", "products")
        return ("input", "window", *between, "output")

    @property
    def origin(self) -> tuple[int, int]:
        """Row and column of the padded input's first cell that holds a value."""
        rows, columns = self.is_data
        return int(np.argmax(rows)), int(np.argmax(columns))

    def values(self, part: str) -> np.ndarray:
        """Return values with the range of all that a part will show."""
        if part == "kernel":
            assert self.kernels is not None
            return self.kernels
        if part in ("products", "output"):
            return self.products if part == "products" else self.output
        return self.padded_inputs[:, self.is_data[0]][:, :, self.is_data[1]]

    def shape(self, part: str) -> tuple[int, int]:
        """Return height and width of a part, in cells."""
        if part == "input":
            return len(self.is_data[0]), len(self.is_data[1])
        if part == "output":
            return len(self.output), self.output.shape[1]
        return self.window_shape


@dataclass(frozen=True, eq=False, kw_only=True)
class StepView:
    """The part of a picture that changes with each step: the window and what is under it.

    Args:
        indices: The rows and the columns of the padded input under the window.
        windows: Masked array `(rows, height, width)`: the values there, padding masked.
        products: Array of the same shape, `None` of a pooling.
        largest: Row and column in the window of the value that a maximum takes, or `None`.
        position: Row and column in the output.
        captions: The text below the products of each row.
        formula: The text below everything.
    """

    indices: tuple[np.ndarray, np.ndarray]
    windows: np.ma.MaskedArray
    products: np.ndarray | None
    largest: tuple[int, int] | None
    position: tuple[int, int]
    captions: Sequence[str]
    formula: str
