"""The commands; Keras and Matplotlib are imported when one runs."""

from __future__ import annotations

import argparse
import importlib
import math
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import kerasviz
from kerasviz._files import check_target
from kerasviz.cli.class_folders import LabelledFiles, list_by_folder, name_files
from kerasviz.cli.errors import CommandError
from kerasviz.cli.model_file_errors import explain
from kerasviz.cli.terminal import printable, progress, remark, say

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

    from kerasviz.cli.images import Images
    from kerasviz.draw.plot import Plot

MAX_PIXELS = 1 << 28
"""Pixels of the largest picture that is written, which take a gigabyte of memory."""
SUFFIXES = (".png", ".svg", ".pdf")
PAGES = (".html",)
IMAGE_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp"}
"""The files that are read of a folder of images."""
BATCH = 64
"""How many images of a folder are read at a time."""
MAX_REMARKS = 5
"""How many remarks on images are printed, of perhaps thousands."""
SAME_COLORS = {"0-255", "0-1"}
"""Values with which an image is drawn in the colours of its file."""
TRUSTED = "If you trust the file as you trust a program that you run, add --unsafe."
SAFE_H5 = (3, 11, 3)
"""The first Keras whose safe mode covers .h5 files; before it they may run code, CVE-2025-9905."""


def layers(options: argparse.Namespace) -> None:
    """List the layers of a model."""
    with progress(2) as step:
        model = _load_model(options, step)
    with _in_one_line():
        refs = kerasviz.find_layers(model, options.layer)
    if not refs:
        raise CommandError(
            f"{options.model} has no convolution; `kerasviz layers {options.model} '*'` lists "
            "every layer"
        )
    for ref in refs:
        say(ref)


def kernels(options: argparse.Namespace) -> None:
    """Draw the kernels of a layer into a file."""
    _check_output(options.output)
    channel = options.channel
    with progress(4) as step:
        model = _load_model(options, step)
        step("drawing")
        with _in_one_line():
            plot = kerasviz.plot_kernels(
                model,
                options.layer,
                channel=int(channel) if re.fullmatch(r"-?\d{1,9}", channel) else channel,
                **_drawing(options),
            )
        step("writing")
        _write(plot, options)


def maps(options: argparse.Namespace) -> None:
    """Draw the feature maps of images into a file."""
    _check_output(options.output)
    paths = _list_images(options.images, options.output)
    with progress(5) as step:
        model = _load_model(options, step)
        step("reading the images")
        from kerasviz.cli.images import load_images

        layer: str | None = options.layer
        if layer is not None and _is_image(model, layer):
            paths = [*_list_images([Path(layer)], options.output), *paths]
            layer = None
        images = load_images(model, paths, options.values)
        step("drawing")
        with _in_one_line():
            plot = kerasviz.plot_feature_maps(
                model,
                layer,
                images.inputs,
                **_samples(images, options.values, overlay=options.overlay),
                **_drawing(options),
            )
        step("writing")
        _write(plot, options)
    for text in images.remarks:
        remark(text)


def _is_image(model: keras.Model, text: str) -> bool:
    """Whether the argument before the images is one of them, since LAYER may be left out.

    A layer's name may be that of a folder too, such as the one that holds its snapshots.
    """
    path = Path(text)
    if path.suffix.lower() not in IMAGE_SUFFIXES and not path.is_dir():
        return False
    try:
        return not kerasviz.find_layers(model, text)
    except ValueError:
        return True


def why(options: argparse.Namespace) -> None:
    """Draw why a model answers as it does into a file."""
    _check_output(options.output)
    paths = _list_images(options.images, options.output)
    names = None if options.classes is None else _read_names(options.classes)
    with progress(5) as step:
        model = _load_model(options, step)
        step("reading the images")
        from kerasviz.cli.images import load_images

        images = load_images(model, paths, options.values)
        step("explaining")
        methods = options.method or ["integrated-gradients"]
        with _in_one_line():
            plot = kerasviz.plot_attributions(
                model,
                images.inputs,
                method=methods,
                sample="all",
                sample_names=images.names,
                class_names=names,
                picture=images.pictures,
                interpolation="bilinear" if options.smooth else "nearest",
                target=options.target,
                layer=options.layer,
                figsize=options.figsize,
            )
        step("writing")
        _write(plot, options)
    for text in images.remarks:
        remark(text)


def filters(options: argparse.Namespace) -> None:
    """Draw what filters look for in a folder of images into a file."""
    _check_output(options.output)
    names = None if options.classes is None else _read_names(options.classes)
    files = _find_labelled(options, names)
    remarks: dict[str, None] = {}
    with progress(4) as step:
        model = _load_model(options, step)
        step(f"reading {len(files.paths)} images, running the model and drawing")
        with _in_one_line():
            plot = kerasviz.plot_filters(
                model,
                options.layer,
                _read_batches(model, files, options.values, remarks),
                filters=options.filters,
                sort=options.sort,
                class_names=files.class_names if files.labels else None,
                figsize=options.figsize,
            )
        step("writing")
        _write(plot, options)
    for text in list(remarks)[:MAX_REMARKS]:
        remark(text)
    if len(remarks) > MAX_REMARKS:
        remark(f"… and {len(remarks) - MAX_REMARKS} more images were changed to fit the model")


def _read_batches(
    model: keras.Model, files: LabelledFiles, values: str, remarks: dict[str, None]
) -> Iterator[Any]:
    """Yield images a few at a time, with their classes if these are known.

    Args:
        model: The model.
        files: The images.
        values: What the model was trained on.
        remarks: Filled with what reading the images changed.
    """
    from kerasviz.cli.images import load_images

    for start in range(0, len(files.paths), BATCH):
        images = load_images(model, files.paths[start : start + BATCH], values)
        remarks.update(dict.fromkeys(images.remarks))
        labels = files.labels[start : start + BATCH]
        yield (images.inputs, labels) if labels else images.inputs


def _read_names(path: Path) -> list[str]:
    """Return the names of classes, one in each line of a file."""
    try:
        return [printable(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not a text file with one class name per line") from None


def _samples(images: Images, values: str, *, overlay: bool) -> dict[str, Any]:
    """Return the keywords for a picture of one image, or for a table of several.

    Where photos are drawn, they are those of the files: what the model takes may have its colours
    in another order.
    """
    several = len(images.names) > 1
    keywords: dict[str, Any] = {
        "sample": slice(None) if several else 0,
        "overlay": overlay,
    }
    # One image has no name in its picture: two files of the same shades make the same picture.
    if several:
        keywords["sample_names"] = images.names
    # One image is shown as the model takes it, unless that has other colours than the photo.
    if images.pictures is not None and (overlay or several or values not in SAME_COLORS):
        keywords["overlay" if overlay else "picture"] = images.pictures
    return keywords


def report(options: argparse.Namespace) -> None:
    """Write one page about a model."""
    _check_output(options.output, PAGES)
    names = None if options.classes is None else _read_names(options.classes)
    files = _find_labelled(options, names)
    with progress(4 if files.paths else 3) as step:
        model = _load_model(options, step)
        images = None
        if files.paths:
            step("reading the images")
            from kerasviz.cli.images import load_images

            images = load_images(model, files.paths, options.values)
        step("running the model, explaining and writing")
        with _in_one_line():
            path = kerasviz.report(
                model,
                None if images is None else images.inputs,
                options.output,
                labels=files.labels or None,
                class_names=files.class_names or None,
                picture=None if images is None else images.pictures,
                sample_names=name_files(files.paths) or None,
                samples=options.samples,
            )
    for text in images.remarks if images else ():
        remark(text)
    say(f"{path}: open it in a browser")


def _find_labelled(options: argparse.Namespace, names: list[str] | None) -> LabelledFiles:
    """Return the images of a report, with their classes where their folders are named so."""
    if options.labels == "by-folder":
        return list_by_folder(
            options.images, names, lambda folder: _list_images([folder], options.output)
        )
    return LabelledFiles(_list_images(options.images, options.output), [], names or [])


def demo(options: argparse.Namespace) -> None:
    """Draw the network that ships with kerasviz."""
    _start_keras()
    from kerasviz.cli.demo import write_demo

    files = write_demo(options.output)
    print("Kernels and feature maps of a small network trained on Fashion-MNIST:")
    _list(files)
    say(f"Open the page in a browser: {files[-1].absolute().as_uri()}")


def train_example(options: argparse.Namespace) -> None:
    """Train the reference network, and draw its chapter."""
    _start_keras()
    try:
        run = kerasviz.fashion_mnist.train(
            options.data,
            options.output,
            subset=options.subset,
            epochs=options.epochs,
            seed=options.seed,
            verbose=1 if sys.stdout.isatty() else 2,
        )
    except ValueError as error:  # such as a damaged file of the data
        raise CommandError(error) from None
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
    reason = explain(path)
    if reason is not None:
        raise CommandError(f"{path} cannot be loaded: {reason}")
    if not options.unsafe and path.suffix != ".keras" and _version(keras) < SAFE_H5:
        raise CommandError(
            f"Keras {keras.__version__} has no safe mode for {path}, only for .keras files: update "
            f"Keras to {'.'.join(map(str, SAFE_H5))} or later. {TRUSTED}"
        )
    step("reading the model")
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=not options.unsafe)
    # A file of somebody's runs Keras, h5py, zipfile and the from_config of any layer, which raise
    # classes of their own. A terminal shows one line for all of them.
    except Exception as error:
        text = " ".join(str(error).split())
        hint = ""
        if not options.unsafe and "unsafe" in text.lower():
            hint = f" {TRUSTED}"
            text = "it may run code of its own, which Keras's safe mode forbids."
        raise CommandError(f"{path} cannot be loaded: {text[:500]}{hint}") from None
    if not isinstance(model, keras.Model):
        raise CommandError(f"{path} holds a {type(model).__name__}, not a model")
    return model


def _version(module: ModuleType) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", module.__version__)[:3])


def _start_keras() -> ModuleType:
    """Import Keras without what TensorFlow's C++ code writes to stderr while it starts."""
    if "keras" in sys.modules:
        return sys.modules["keras"]
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), 2)
        try:
            return importlib.import_module("keras")
        except BaseException:
            output.seek(0)
            os.write(stderr, output.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _check_output(path: Path, suffixes: tuple[str, ...] = SUFFIXES) -> None:
    if path.suffix.lower() not in suffixes:
        raise CommandError(f"the output must end in {', '.join(suffixes)}: {path}")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"no such folder: {path.absolute().parent}")
    check_target(path)


def _list_images(paths: Iterable[Path], output: Path) -> list[Path]:
    """Return the files that are named, and those of the folders that are named, by name."""
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            _check_image(path, output)
            files.append(path)
            continue
        images = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        images = [file for file in images if not (output.exists() and output.samefile(file))]
        if not images:
            raise CommandError(f"no image is in the folder: {path}")
        files += images
    return files


def _check_image(path: Path, output: Path) -> None:
    if not path.exists():
        raise CommandError(f"no such file: {path}")
    if not path.is_file():
        raise CommandError(f"it is not a regular file: {path}")
    if output.exists() and output.samefile(path):
        raise CommandError(f"the output must not replace an image that is read: {output}")


def _write(plot: Plot, options: argparse.Namespace) -> None:
    figure = cast("Figure", plot.figure)
    width, height = (round(options.dpi * inches) for inches in figure.get_size_inches())
    if width * height > MAX_PIXELS:
        most = int(options.dpi * math.sqrt(MAX_PIXELS / (width * height)))
        raise CommandError(
            f"--dpi {options.dpi} would make a picture of {width}×{height} pixels; at most "
            f"--dpi {most} can be written"
        )
    plot.savefig(options.output, dpi=options.dpi)


def _drawing(options: argparse.Namespace) -> dict[str, Any]:
    names = ("tiles", "sort", "top", "scale", "columns", "labels", "cmap", "figsize")
    return {name: getattr(options, name) for name in names}


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Turn an error, of kerasviz or of the model that runs, into a line without a traceback."""
    try:
        yield
    except CommandError:  # of images that are read while the model runs
        raise
    except (TypeError, ValueError) as error:
        raise CommandError(" ".join(str(error).split())) from None
    except MemoryError:
        raise CommandError("there is not enough memory for this picture") from None
    # The model runs here, and each backend and each layer raises classes of its own. The line names
    # the class, so that an error of kerasviz's can be told from one of the model's.
    except Exception as error:
        text = " ".join(str(error).split())[:500]
        raise CommandError(f"this cannot be done: {type(error).__name__}: {text}") from None


def _list(files: Iterable[Path]) -> None:
    for file in files:
        say(f"  {file}")
