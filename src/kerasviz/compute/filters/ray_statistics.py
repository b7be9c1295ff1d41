"""Put together what the workers of a cluster have collected of the responses of filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from kerasviz.compute.filters.counting.responses import (
    NotFiniteError,
    Responses,
    limit_images,
)
from kerasviz.compute.ray_cluster import Work, map_blocks


@dataclass(frozen=True, kw_only=True)
class Part:
    """The responses to some rows of a data set that follow one another, or an error.

    Args:
        samples: How many images there were.
        responses: The responses to them, keyed by address, with indices that begin at 0.
        error: What went wrong instead, `samples` images after the first.
    """

    samples: int
    responses: dict[str, Responses]
    error: Exception | None = None

    def joined(self, following: Part) -> Part:
        """Return this and the part that follows as one."""
        if self.error is not None:
            return self
        if not self.samples or following.error is not None:
            samples = self.samples + following.samples
            return Part(samples=samples, responses=following.responses, error=following.error)
        responses = {
            key: own.merge(following.responses[key].shifted(self.samples))
            for key, own in self.responses.items()
        }
        limit_images(responses.values())
        return Part(samples=self.samples + following.samples, responses=responses)


def collect_on_cluster(
    model: keras.Model, dataset: Any, work: Work, verbose: int
) -> dict[str, Responses]:
    """Return the responses to all rows of a data set, keyed by address.

    Args:
        model: The model.
        dataset: A `ray.data.Dataset`.
        work: Yields the `Part` that comes of a block.
        verbose: 1 shows a progress bar.

    Raises:
        ValueError: As for images on this machine; the index of an image is that of its row.
    """
    bar = keras.utils.Progbar(None, unit_name="image") if verbose else None
    total = Part(samples=0, responses={})
    for part in map_blocks(model, dataset, work, join=Part.joined):
        total = total.joined(part)
        if isinstance(total.error, NotFiniteError):
            raise NotFiniteError(total.error.address, total.error.index + total.samples)
        if total.error is not None:
            total.error.add_note(f"It is about the rows of the data set from {total.samples} on.")
            raise total.error
        if bar is not None:
            bar.update(total.samples)
    if not total.samples:
        raise ValueError("`inputs` must hold at least one batch. Received: none")
    if bar is not None:
        bar.update(total.samples, finalize=True)
    return total.responses
