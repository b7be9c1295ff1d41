"""Kernels with many input channels to tiles that can be drawn; nothing but NumPy."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

Channel = int | Literal["auto", "mean", "principal", "rgb", "all"]
CHANNELS = ("auto", "mean", "principal", "rgb", "all")


class KernelTiles(NamedTuple):
    """Tiles of a kernel: `(n, height, width)`, or `(n, height, width, 3)` for colours."""

    tiles: np.ndarray
    note: str


def resolve_channel(
    channel: Channel, in_channels: int, of: str, *, is_point: bool = False
) -> Channel:
    """Return how to draw a kernel with this many input channels; never "auto".

    A kernel of one position has no pattern: it is its weights, one per input channel.

    Args:
        channel: The caller's `channel`.
        in_channels: How many input channels there are.
        of: The layer, for an error.
        is_point: Whether the kernel has one position, as that of a 1×1 convolution.

    Raises:
        ValueError: There is no such channel, or "rgb" where there are not three.
    """
    if channel == "auto" and is_point:
        return "all"
    if channel == "auto":
        return 0 if in_channels == 1 else "rgb" if in_channels == 3 else "principal"
    if channel == "rgb" and in_channels != 3:
        raise ValueError(
            f"`channel` can be 'rgb' for 3 input channels only, and {of!r} has {in_channels}. "
            "Received: channel='rgb'"
        )
    if not isinstance(channel, str) and not -in_channels <= channel < in_channels:
        raise ValueError(
            f"`channel` must be between {-in_channels} and {in_channels - 1}, since {of!r} has "
            f"{in_channels} input channels. Received: channel={channel}"
        )
    return channel


def kernel_tiles(kernel: np.ndarray, channel: Channel) -> KernelTiles:
    """Reduce a kernel to what can be drawn.

    Args:
        kernel: Array `(height, width, in_channels, filters)`.
        channel: What `resolve_channel` returned.

    Returns:
        One tile per filter; with "all" one tile per input channel and filter, channel by channel.
    """
    in_channels, filters = kernel.shape[2:]
    by_filter = np.moveaxis(kernel, 3, 0)
    if channel == "rgb":
        return KernelTiles(by_filter, "RGB")
    if channel == "all":
        pairs = np.moveaxis(kernel, (2, 3), (0, 1))
        return KernelTiles(pairs.reshape(in_channels * filters, *kernel.shape[:2]), "")
    if channel == "mean":
        note = f"mean over {in_channels} input channels" if in_channels > 1 else ""
        return KernelTiles(by_filter.mean(axis=3), note)
    if channel == "principal":
        tiles, energy = principal_patterns(kernel)
        return KernelTiles(tiles, f"principal pattern, {energy:.0%} of the energy")
    assert isinstance(channel, (int, np.integer))
    number = range(in_channels)[channel]
    note = f"input channel {number} of {in_channels}" if in_channels > 1 else ""
    return KernelTiles(by_filter[..., number], note)


def principal_patterns(kernel: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the dominant spatial pattern of each filter.

    A filter is a matrix of positions by input channels. Its first right singular vector is the mix
    of channels (of unit length) to which it responds most; the pattern is what the filter does to
    that mix: the first left singular vector times the first singular value, in the units of the
    weights. Of a filter with one channel it is that channel. The sign, which the decomposition
    leaves open, is chosen so that the loadings of the channels sum to 0 or more.

    Source: "The approximation of one matrix by another of lower rank", Psychometrika 1, 1936.

    Args:
        kernel: Array `(height, width, in_channels, filters)`.

    Returns:
        Array `(filters, height, width)` of the kernel's dtype, and the mean share of the filters'
        energy (sum of squares) that the patterns hold, 0 to 1; filters of zeros are left out.
        A position where a weight is not finite is NaN in the pattern.
    """
    height, width, in_channels, filters = kernel.shape
    matrices = _filters_first(kernel)
    is_finite = np.isfinite(matrices)
    finite = matrices if is_finite.all() else np.where(is_finite, matrices, 0)
    # The smaller of the two Gram matrices has the same leading vector at a fraction of the cost.
    if height * width <= in_channels:
        gram = finite @ finite.swapaxes(1, 2)
        vectors = np.linalg.eigh(gram)[1][:, :, -1]
        loadings = np.einsum("fp,fpc->fc", vectors, finite)
        lengths = np.linalg.norm(loadings, axis=1)
        patterns = vectors * lengths[:, np.newaxis]
    else:
        gram = finite.swapaxes(1, 2) @ finite
        loadings = np.linalg.eigh(gram)[1][:, :, -1]
        patterns = np.einsum("fpc,fc->fp", finite, loadings)
        lengths = np.linalg.norm(patterns, axis=1)
    patterns = patterns * np.where(loadings.sum(axis=1) < 0, -1.0, 1.0)[:, np.newaxis]
    energy = np.trace(gram, axis1=1, axis2=2)
    share = np.divide(lengths**2, energy, where=energy > 0, out=np.full(filters, np.nan))
    mean_share = float(np.nanmean(share)) if (energy > 0).any() else 1.0
    patterns[~is_finite.all(axis=2)] = np.nan
    return patterns.reshape(filters, height, width).astype(kernel.dtype), mean_share


def _filters_first(kernel: np.ndarray) -> np.ndarray:
    """Return each filter as a block of memory, `(filters, positions, in_channels)`, in float64.

    A transposed copy of the whole jumps over a row of memory for each value and takes five times
    as long as one of a few rows after the other, which the processor's cache holds.
    """
    height, width, in_channels, filters = kernel.shape
    rows = kernel.reshape(-1, filters)
    matrices = np.empty((filters, len(rows)))
    for start in range(0, len(rows), 64):
        matrices[:, start : start + 64] = rows[start : start + 64].T
    return matrices.reshape(filters, height * width, in_channels)


def align_signs(
    patterns: np.ndarray, reference: np.ndarray, agreement: np.ndarray | None = None
) -> np.ndarray:
    """Return patterns with the signs that agree with those of a reference.

    A pattern has no sign of its own: `-pattern` with the opposite loadings is the same kernel. So
    two patterns can be compared only after the second has taken the sign of the first.

    Args:
        patterns: Array `(filters, height, width)`.
        reference: The patterns to compare with, an array of the same shape.
        agreement: What `kernel_agreement` returns for the kernels of both. With it, a filter that
            became its negative has the negative pattern. Without it, it has the same pattern.

    Returns:
        A new array: `patterns`, of which some are multiplied by -1. A pattern that is orthogonal to
        its reference keeps its sign. Values that are not finite are ignored.
    """
    flipped = _dots(patterns, reference) < 0
    if agreement is not None:
        flipped ^= (agreement < 0) & (_dots(patterns, reference) != 0)
    signs = np.where(flipped, -1, 1).astype(patterns.dtype)
    return np.asarray(patterns * signs[:, np.newaxis, np.newaxis])


def kernel_agreement(kernel: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the dot product of each filter of two kernels, `(filters,)`, for `align_signs`.

    Args:
        kernel: Array `(height, width, in_channels, filters)`.
        reference: Array of the same shape.
    """
    return _dots(np.moveaxis(kernel, 3, 0), np.moveaxis(reference, 3, 0))


def _dots(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the dot product of each item of two arrays; what is not finite counts as 0."""
    pair = [
        np.nan_to_num(values.reshape(len(values), -1).astype("float64"), posinf=0, neginf=0)
        for values in (first, second)
    ]
    return np.asarray(np.einsum("fv,fv->f", *pair))
