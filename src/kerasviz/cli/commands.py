"""What each command does; Keras and Matplotlib are imported when one runs."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import kerasviz
from kerasviz.cli.failure import CommandError

if TYPE_CHECKING:
    import keras

SUFFIXES = (".png", ".svg", ".pdf")
TRUSTED = "If you trust the file as you trust a program that you run, add --unsafe."
SAFE_H5 = (3, 11, 3)
"""The first Keras whose safe mode covers .h5 files; before it they may run code, CVE-2025-9905."""


def layers(options: argparse.Namespace) -> None:
    """List the layers of a model."""
    with _steps(2) as step:
        model = _load_model(options, step)
    with _told():
        found = kerasviz.find_layers(model, options.layer)
    if not found:
        raise CommandError(
            f"{options.model} has no convolution; `kerasviz layers {options.model} '*'` lists "
            "every layer"
        )
    print(*found, sep="\n")


def kernels(options: argparse.Namespace) -> None:
    """Draw the kernels of a layer into a file."""
    _check_output(options.output)
    channel = options.channel
    with _steps(4) as step:
        model = _load_model(options, step)
        step("drawing")
        with _told():
            plot = kerasviz.plot_kernels(
                model,
                options.layer,
                channel=int(channel) if channel.lstrip("-").isdecimal() else channel,
                **_drawing(options),
            )
        step("writing")
        plot.savefig(options.output, dpi=options.dpi)


def maps(options: argparse.Namespace) -> None:
    """Draw the feature maps of images into a file."""
    _check_output(options.output)
    for path in options.images:
        if not path.is_file():
            raise CommandError(f"no such file: {path}")
    with _steps(5) as step:
        model = _load_model(options, step)
        step("reading the images")
        from kerasviz.cli.images import load_images

        images = load_images(model, options.images, options.values)
        step("drawing")
        several = len(images) > 1
        with _told():
            plot = kerasviz.plot_feature_maps(
                model,
                options.layer,
                images,
                sample=slice(None) if several else 0,
                overlay=options.overlay,
                **_drawing(options),
            )
        step("writing")
        plot.savefig(options.output, dpi=options.dpi)


def demo(options: argparse.Namespace) -> None:
    """Draw the network that ships with kerasviz."""
    _start_keras()
    from kerasviz.cli.demo import write_demo

    files = write_demo(options.output)
    print("Kernels and feature maps of a small network trained on Fashion-MNIST:")
    _list(files)


def train_example(options: argparse.Namespace) -> None:
    """Train the reference network, and draw its chapter."""
    _start_keras()
    run = kerasviz.fashion_mnist.train(
        options.data,
        options.output,
        subset=options.subset,
        epochs=options.epochs,
        seed=options.seed,
        verbose=1 if sys.stdout.isatty() else 2,
    )
    print(f"{run.accuracy:.2%} of the test images are classified correctly. Written:")
    _list(run.files)


def completion(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Print the completion for a shell."""
    try:
        import shtab
    except ImportError:
        raise CommandError("completion needs shtab: pip install 'kerasviz[completion]'") from None
    print(shtab.complete(parser, options.shell))


def _load_model(options: argparse.Namespace, step: Any) -> keras.Model:
    path = options.model
    if not path.exists():
        raise CommandError(f"no such file: {path}")
    step("starting Keras")
    keras = _start_keras()
    if not options.unsafe and path.suffix != ".keras" and _version(keras) < SAFE_H5:
        raise CommandError(
            f"Keras {keras.__version__} has no safe mode for {path}, only for .keras files: update "
            f"Keras to {'.'.join(map(str, SAFE_H5))} or later. {TRUSTED}"
        )
    step("reading the model")
    try:
        return keras.models.load_model(path, compile=False, safe_mode=not options.unsafe)
    except Exception as error:  # Keras, h5py, zipfile and any layer's from_config raise their own
        text = " ".join(str(error).split())
        hint = ""
        if not options.unsafe and "unsafe" in text.lower():
            hint = f" {TRUSTED}"
            text = "it may run code of its own, which Keras's safe mode forbids."
        raise CommandError(f"{path} cannot be loaded: {text[:500]}{hint}") from None


def _version(module: ModuleType) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", module.__version__)[:3])


def _start_keras() -> ModuleType:
    """Import Keras without what TensorFlow's C++ code writes to stderr while it starts."""
    if "keras" in sys.modules:
        return sys.modules["keras"]
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            return importlib.import_module("keras")
        except BaseException:
            said.seek(0)
            os.write(stderr, said.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _check_output(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise CommandError(f"the output must end in {', '.join(SUFFIXES)}: {path}")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"no such folder: {path.absolute().parent}")


def _drawing(options: argparse.Namespace) -> dict[str, Any]:
    names = ("tiles", "sort", "top", "scale", "columns", "labels", "cmap")
    return {name: getattr(options, name) for name in names}


@contextmanager
def _told() -> Iterator[None]:
    """Turn what kerasviz says of a mistake into a line without a traceback."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise CommandError(str(error)) from None


@contextmanager
def _steps(count: int) -> Iterator[Any]:
    """Show on a terminal how far a command is, and wipe it out at the end."""
    done = 0
    shown = sys.stderr.isatty()

    def step(what: str) -> None:
        nonlocal done
        if shown:
            bar = "#" * (20 * done // count)
            print(f"\r\x1b[K[{bar:<20}] {what} …", end="", file=sys.stderr, flush=True)
        done += 1

    try:
        yield step
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _list(files: Iterable[Path]) -> None:
    for file in files:
        print(f"  {file}")
