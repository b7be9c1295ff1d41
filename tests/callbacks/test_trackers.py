"""Pictures in Weights & Biases and MLflow: the packages themselves, without a network."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import kerasviz
from kerasviz.callbacks import log_to_mlflow, log_to_wandb


class Run:
    """A run of a tracker that keeps what it gets."""

    def __init__(self) -> None:
        self.logged: list[dict[str, Any]] = []
        self.metrics: list[tuple[Any, ...]] = []
        self.info = SimpleNamespace(run_id="1")

    def log(self, values: dict[str, Any]) -> None:
        self.logged.append(values)

    def define_metric(self, name: str, *, step_metric: str) -> None:
        self.metrics.append((name, step_metric))

    def log_image(self, run: str, image: Image.Image, **options: Any) -> None:
        self.logged.append({"run": run, "image": image, **options})


def fake(monkeypatch: pytest.MonkeyPatch, name: str, **parts: Any) -> None:
    monkeypatch.setitem(sys.modules, name, SimpleNamespace(**parts))


def test_log_to_wandb_logs_each_picture_with_its_step(model, fit, monkeypatch) -> None:
    run = Run()
    fake(monkeypatch, "wandb", run=run, Image=lambda picture, caption: (picture, caption))
    fit(model, kerasviz.KernelSnapshots("first", on_plot=log_to_wandb("kernels")), epochs=2)
    assert [values["kernels/step"] for values in run.logged] == [1, 2]
    assert run.metrics == [("kernels/*", "kernels/step")]
    picture, caption = run.logged[1]["kernels/first"]
    assert caption == "first, 2"
    assert min(picture.size) > 100


def test_log_to_mlflow_logs_each_picture_with_its_step(model, fit, monkeypatch) -> None:
    run = Run()
    fake(monkeypatch, "mlflow", active_run=lambda: run, MlflowClient=lambda: run)
    on_plot = log_to_mlflow("plots")
    fit(model, kerasviz.Snapshots(kerasviz.plot_kernel_histograms, on_plot=on_plot), epochs=2)
    assert [(x["key"], x["step"], x["run"]) for x in run.logged] == [
        ("plots/plot_kernel_histograms", 1, "1"),
        ("plots/plot_kernel_histograms", 2, "1"),
    ]
    on_plot(3, "shared:1#0", kerasviz.plot_tiles(np.ones((3, 3, 2))))
    assert run.logged[-1]["key"] == "plots/shared-1-0"
    plt.close("all")


def test_log_to_wandb_and_log_to_mlflow_say_what_is_missing(monkeypatch) -> None:
    for function, name in ((log_to_wandb, "wandb"), (log_to_mlflow, "mlflow")):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ImportError, match=f"needs {name}: pip install {name}"):
            function("kernels")
        with pytest.raises(TypeError, match="`name` must be a string"):
            function(3)
        fake(monkeypatch, name, run=None, active_run=lambda: None)
        with pytest.raises(ValueError, match=r"`run(_id)?` must be"):
            function("kernels")


@pytest.mark.trackers
@pytest.mark.filterwarnings("ignore")  # of packages that are not ours
def test_log_to_wandb_writes_an_offline_run(model, fit, tmp_path: Path, monkeypatch) -> None:
    import wandb

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with wandb.init(project="kerasviz", dir=str(tmp_path)):
        fit(model, kerasviz.KernelSnapshots("first", on_plot=log_to_wandb("kernels")), epochs=2)
    pictures = sorted(tmp_path.rglob("media/images/kernels/first_*.png"))
    assert len(pictures) == 2
    for path in pictures:
        with Image.open(path) as picture:
            assert min(picture.size) > 100


@pytest.mark.trackers
@pytest.mark.filterwarnings("ignore")
def test_log_to_mlflow_writes_to_a_local_store(model, fit, tmp_path: Path, monkeypatch) -> None:
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    with mlflow.start_run() as run:
        on_plot = log_to_mlflow("kernels")
        fit(model, kerasviz.KernelSnapshots("first", on_plot=on_plot), epochs=2)
    folder = tmp_path / "runs" / run.info.experiment_id / run.info.run_id / "artifacts"
    pictures = sorted(path for path in folder.rglob("*.png") if "first" in path.name)
    assert len(pictures) == 2, [*folder.rglob("*")]
    for path in pictures:
        with Image.open(path) as picture:
            assert min(picture.size) > 100
