"""TensorBoard's event files. The only module that imports TensorFlow, when it is used.

`tf.summary` writes them since it is what Keras's own callback uses, and TensorBoard reads.
"""

from __future__ import annotations

import errno
import importlib
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.callbacks.writers.folder import open_folder, try_to_write
from kerasviz.callbacks.writers.png_encoding import png_size


class EventLog:
    """Event files in a folder of their own, beside `train` and `validation` of Keras's callback.

    A folder of its own, since TensorBoard may read but the newest file of a folder.

    Args:
        log_dir: The folder of the run, as `keras.callbacks.TensorBoard` takes it.
        kind: The name of the folder in it.

    Raises:
        ImportError: TensorFlow is not installed.
    """

    keyword = "log_dir"

    def __init__(self, log_dir: str, kind: str) -> None:
        if util.find_spec("tensorflow") is None:
            raise ImportError(
                "`log_dir` needs TensorFlow, which writes TensorBoard's files: "
                "pip install tensorflow. Everything else works without it."
            )
        self.log_dir = log_dir
        self.kind = kind
        self._writer: Any = None

    def open(self) -> int:
        """Check that the folder can be written to. Nothing in it is ever overwritten."""
        if self._is_local:
            open_folder(Path(self.log_dir), self.keyword)
        importlib.import_module("tensorflow")  # takes seconds, which no epoch should pay for
        return 0

    def write(self, tag: str, number: int, png: bytes) -> None:
        """Write a picture under a tag."""
        import tensorflow as tf

        # What tf.summary.image writes, without decoding and encoding the picture once more.
        metadata = tf.compat.v1.SummaryMetadata()
        metadata.plugin_data.plugin_name = "images"
        width, height = png_size(png)
        value = [str(width), str(height), png]
        self._record({tag: value}, number, metadata, len(png))

    def write_scalars(self, values: Mapping[str, float], number: int) -> None:
        """Write numbers, by their names."""
        import tensorflow as tf

        metadata = tf.compat.v1.SummaryMetadata()
        metadata.plugin_data.plugin_name = "scalars"
        scalars = {name: np.float32(value) for name, value in values.items()}
        self._record(scalars, number, metadata, 4 * len(scalars))

    def finish(self) -> None:
        """Close the file; what comes later begins another one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @property
    def _is_local(self) -> bool:
        return "://" not in self.log_dir  # where a cloud's storage is, only TensorFlow can look

    def _record(self, values: Mapping[str, Any], number: int, metadata: Any, length: int) -> None:
        """Write values by their tags, which take at least `length` bytes together.

        Raises:
            OSError: They did not arrive in the file.
        """
        import tensorflow as tf

        try:
            if self._writer is None:
                self._begin_file()
            before = self._file_size()
            # Keras's callback may have switched recording off for this batch.
            with self._writer.as_default(), tf.summary.record_if(True):
                for tag, value in values.items():
                    tf.summary.write(tag, value, step=number, metadata=metadata)
            self._writer.flush()
        except tf.errors.OpError as error:
            raise OSError(errno.EIO, str(error.message).splitlines()[0]) from error
        # TensorFlow says nothing when the disk is full, or the file is no longer there.
        if self._is_local and self._file_size() < before + length:
            self.finish()  # the rest of this file could not be read
            raise OSError(errno.EIO, f"an event file in '{self._folder}' did not grow")

    def _begin_file(self) -> None:
        import tensorflow as tf

        if self._is_local:
            try_to_write(Path(self.log_dir))  # TensorFlow would bring back one that vanished
        self._writer = tf.summary.create_file_writer(self._folder)
        self._writer.flush()

    @property
    def _folder(self) -> str:
        return f"{self.log_dir}/{self.kind}"

    def _file_size(self) -> int:
        """Return the bytes of all event files of this folder."""
        if not self._is_local:
            return 0
        return sum(file.stat().st_size for file in Path(self._folder).glob("events.*"))
