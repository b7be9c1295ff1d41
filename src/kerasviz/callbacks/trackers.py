"""Send the pictures of callbacks to Weights & Biases or MLflow."""

from __future__ import annotations

import io
import re
from typing import Any

from PIL import Image

from kerasviz._checks import check_type, import_optional
from kerasviz.callbacks.layer_snapshots import OnPlot
from kerasviz.callbacks.writers.png_encoding import encode_png
from kerasviz.draw.plot import Plot


def log_to_wandb(name: str, *, run: Any = None) -> OnPlot:
    """Return a function for `on_plot=` that logs each picture to Weights & Biases.

    Args:
        name: The group of the pictures, such as `"kernels"`. That of a layer is logged as
            `kernels/conv2d`, over the axis `kernels/step`, which counts epochs or batches as the
            callback does.
        run: What `wandb.init` returned; `None` is the run that is active when this is called.

    Returns:
        A function of the number, the address and the `Plot`.

    Raises:
        TypeError: `name` is not a string.
        ImportError: wandb is not installed.
        ValueError: `run` is `None`, and no run is active.

    Example:
        >>> import kerasviz, wandb  # doctest: +SKIP
        >>> run = wandb.init(project="shoes")  # doctest: +SKIP
        >>> kerasviz.KernelSnapshots(
        ...     on_plot=kerasviz.callbacks.log_to_wandb("kernels")
        ... )  # doctest: +SKIP
    """
    check_type("name", name, (str,), "a string")
    wandb = import_optional("wandb", "log_to_wandb")
    active = wandb.run if run is None else run
    if active is None:
        raise ValueError(
            "`run` must be a run, or `wandb.init` be called before. Received: run=None"
        )
    step_key = f"{name}/step"
    active.define_metric(f"{name}/*", step_metric=step_key)

    def log(number: int, address: str, plot: Plot) -> None:
        picture = wandb.Image(_draw(plot), caption=f"{address}, {number}")
        active.log({f"{name}/{address}": picture, step_key: number})

    return log


def log_to_mlflow(name: str, *, run_id: str | None = None) -> OnPlot:
    """Return a function for `on_plot=` that logs each picture to MLflow.

    Args:
        name: The group of the pictures, such as `"kernels"`. That of a layer is logged by
            `mlflow.log_image` with the key `kernels/conv2d` and the number of epochs or batches as
            its step, which MLflow's page shows with a slider.
        run_id: The id of a run; `None` is the run that is active when this is called.

    Returns:
        A function of the number, the address and the `Plot`.

    Raises:
        TypeError: `name` is not a string.
        ImportError: MLflow is not installed.
        ValueError: `run_id` is `None`, and no run is active.

    Example:
        >>> import kerasviz, mlflow  # doctest: +SKIP
        >>> with mlflow.start_run():  # doctest: +SKIP
        ...     on_plot = kerasviz.callbacks.log_to_mlflow("kernels")
        ...     model.fit(x, y, callbacks=[kerasviz.KernelSnapshots(on_plot=on_plot)])
    """
    check_type("name", name, (str,), "a string")
    mlflow = import_optional("mlflow", "log_to_mlflow")
    if run_id is None:
        active = mlflow.active_run()
        if active is None:
            raise ValueError(
                "`run_id` must be the id of a run, or `mlflow.start_run` be called before. "
                "Received: run_id=None"
            )
        run_id = active.info.run_id
    client = mlflow.MlflowClient()

    def log(number: int, address: str, plot: Plot) -> None:
        # MLflow takes these characters in a key; ':' and '#' of an address are not among them.
        key = re.sub(r"[^\w\-./ ]", "-", f"{name}/{address}", flags=re.ASCII)
        client.log_image(run_id, _draw(plot), key=key, step=number, synchronous=True)

    return log


def _draw(plot: Plot) -> Image.Image:
    """Return a plot as a picture of its own size."""
    return Image.open(io.BytesIO(encode_png(plot)))
