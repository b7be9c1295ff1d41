"""Choose which values of an output an animation computes, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_FRAMES = 200
"""An animation of all steps leaves out some where there are more."""

Position = tuple[int, int]
"""Row and column in an output map."""


@dataclass(frozen=True, eq=False, kw_only=True)
class StepSchedule:
    """The steps of an animation, one per frame.

    Args:
        positions: The value of the output that each frame computes.
        frame_indices: Integer array `(rows, columns)`: the first frame that shows each value; of a
            value that is never shown, the number of frames.
        note: What a title has to say of it, "" where every step is shown.
    """

    positions: Sequence[Position]
    frame_indices: np.ndarray
    note: str


def schedule_all(shape: tuple[int, int], max_frames: int = MAX_FRAMES) -> StepSchedule:
    """Visit a whole output in reading order; of a large one, every second, third or so value.

    A frame then also shows the values between its own and that of the frame before.
    """
    rows, columns = shape
    count = rows * columns
    every = -(-count // max_frames)
    visited = np.unique([*range(0, count, every), count - 1])
    return StepSchedule(
        positions=[divmod(int(index), columns) for index in visited],
        frame_indices=np.searchsorted(visited, np.arange(count)).reshape(shape),
        note=f"1 in {every} of {count} steps, and the last" if every > 1 else "",
    )


def schedule_positions(positions: Sequence[Position], shape: tuple[int, int]) -> StepSchedule:
    """Visit these positions, and show no other value."""
    frame_indices = np.full(shape, len(positions))
    for frame, position in reversed(list(enumerate(positions))):  # a first visit overwrites others
        frame_indices[position] = frame
    count = len(set(positions))
    note = f"{count} of {frame_indices.size} steps" if count < frame_indices.size else ""
    return StepSchedule(positions=positions, frame_indices=frame_indices, note=note)
