"""Describe images by their spectra, so that an ascent by gradients finds smooth ones.

Each parametrization has parameters `(n, ...)`, makes images of them, and pulls a gradient with
respect to the images back to one with respect to the parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Parametrization(Protocol):
    """Images that are made of parameters."""

    parameters: np.ndarray
    rate: float

    def images(self) -> np.ndarray:
        """Return the images, `(n, *space, channels)`."""

    def pull(self, gradient: np.ndarray) -> np.ndarray:
        """Return the gradient with respect to the parameters for that of the latest images."""


class FourierImages:
    """Images by the coefficients of their spectrum, in which low frequencies weigh more.

    Olah, Mordvintsev and Schubert (2017), Feature visualization, Distill,
    https://doi.org/10.23915/distill.00007

    Args:
        space: The size of each axis of space.
        channels: The number of channels.
        limits: The smallest and the largest value that an image has.
        generators: A source of random numbers for each image.
    """

    rate: float = 0.2

    def __init__(
        self,
        space: Sequence[int],
        channels: int,
        limits: tuple[float, float],
        generators: Sequence[np.random.Generator],
    ) -> None:
        self._space = tuple(space)
        self._limits = limits
        self._middle, self._slope = (limits[0] + limits[1]) / 2, (limits[1] - limits[0]) / 4
        frequency = np.sqrt(sum(f**2 for f in _frequencies(space)))
        lowest = 1 / max(space)
        scale = np.sqrt(np.prod(space)) / np.maximum(frequency, lowest) / 4
        self._scale = scale[..., np.newaxis]
        shape = (*frequency.shape, channels)
        self.parameters: np.ndarray = 0.01 * np.stack(
            [rng.normal(size=shape) + 1j * rng.normal(size=shape) for rng in generators]
        )
        self._images = np.empty(0)

    def images(self) -> np.ndarray:
        """Return the images, `(n, *space, channels)`."""
        values = _to_space(self._scale * self.parameters, self._space)
        self._images = self._middle + self._slope * values
        return np.asarray(np.clip(self._images, *self._limits))

    def pull(self, gradient: np.ndarray) -> np.ndarray:
        """Return the gradient with respect to the parameters."""
        gradient = _inwards(gradient, self._images, self._limits)
        return np.asarray(_adjoint(gradient * self._slope, self._space) * self._scale)


class PhaseImages:
    """Images by the phases of their spectrum, whose magnitude is the mean of that of real images.

    MACO: Fel et al. (2023), Unlocking feature visualization for deeper networks with magnitude
    constrained optimization, arXiv 2306.06805.

    Args:
        examples: Real images `(m, *space, channels)`.
        limits: The smallest and the largest value that an image has.
        generators: A source of random numbers for each image.
    """

    rate: float = 0.1

    def __init__(
        self,
        examples: np.ndarray,
        limits: tuple[float, float],
        generators: Sequence[np.random.Generator],
    ) -> None:
        self._space = examples.shape[1:-1]
        self._limits = limits
        axes = tuple(range(1, examples.ndim - 1))
        self._mean = examples.mean(axis=(0, *axes))
        centred = examples - examples.mean(axis=axes, keepdims=True)
        self._magnitude = np.abs(np.fft.rfftn(centred, axes=axes)).mean(axis=0)
        self.parameters: np.ndarray = np.stack(
            [rng.uniform(-np.pi, np.pi, self._magnitude.shape) for rng in generators]
        )
        self._spectrum = np.empty(0, complex)
        self._images = np.empty(0)

    def images(self) -> np.ndarray:
        """Return the images, `(n, *space, channels)`."""
        self._spectrum = self._magnitude * np.exp(1j * self.parameters)
        self._images = _to_space(self._spectrum, self._space) + self._mean
        return np.asarray(np.clip(self._images, *self._limits))

    def pull(self, gradient: np.ndarray) -> np.ndarray:
        """Return the gradient with respect to the parameters."""
        gradient = _inwards(gradient, self._images, self._limits)
        spectrum = _adjoint(gradient, self._space)
        turned = 1j * self._spectrum  # the derivative of the spectrum with respect to its phases
        return np.asarray(spectrum.real * turned.real + spectrum.imag * turned.imag)


def _inwards(gradient: np.ndarray, images: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Return a gradient without what would push values further beyond the limits."""
    low, high = limits
    may_move = ((images > low) | (gradient > 0)) & ((images < high) | (gradient < 0))
    return np.asarray(gradient * may_move)


def _frequencies(space: Sequence[int]) -> list[np.ndarray]:
    """Return the frequencies along each axis of a real spectrum, ready to be added up."""
    *others, last = space
    along = [*map(np.fft.fftfreq, others), np.fft.rfftfreq(last)]
    return list(np.meshgrid(*along, indexing="ij", sparse=True))


def _to_space(spectra: np.ndarray, space: Sequence[int]) -> np.ndarray:
    """Return the real images `(n, *space, channels)` of spectra."""
    axes = tuple(range(1, len(space) + 1))
    return np.fft.irfftn(spectra, tuple(space), axes=axes)


def _adjoint(images: np.ndarray, space: Sequence[int]) -> np.ndarray:
    """Apply the adjoint of `_to_space`, which takes a complex number as two real ones."""
    axes = tuple(range(1, len(space) + 1))
    # The half of a spectrum that is left out is the mirror image of the other one: each of its
    # coefficients counts twice, but for those that mirror themselves.
    counts = np.full(space[-1] // 2 + 1, 2.0)
    counts[0] = 1
    if space[-1] % 2 == 0:
        counts[-1] = 1
    spectra = np.fft.rfftn(images, axes=axes) / np.prod(space)
    return np.asarray(spectra * counts[:, np.newaxis])
