"""The command `kerasviz`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import kerasviz


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, or 1 for a failure that is not a bug."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up chatter
    os.environ["MPLBACKEND"] = "Agg"
    try:
        options.run(options)
    except OSError as error:
        print(f"kerasviz: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kerasviz", description="See inside Keras models: kernels and feature maps."
    )
    parser.add_argument("--version", action="version", version=kerasviz.__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    demo = commands.add_parser(
        "demo",
        help="draw the network that ships with kerasviz",
        description="Write pictures of the kernels and feature maps of a small network that was "
        "trained on Fashion-MNIST. Network and images ship with kerasviz; nothing is downloaded.",
    )
    demo.set_defaults(run=_demo)
    _add_output(demo, "kerasviz-demo", "the folder for the PNG files")

    train = commands.add_parser(
        "train-example",
        help="train that network on Fashion-MNIST, and draw the whole chapter",
        description="Train the small network that ships with kerasviz anew on Fashion-MNIST, save "
        "it, and write every picture that explains it: what its layers do, how training went, "
        "what it learned and what it sees. Takes some minutes; --subset 2000 takes one.",
    )
    train.set_defaults(run=_train_example)
    train.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="the folder with the four idx files of Fashion-MNIST, gzipped or not (default: "
        "Keras's cache, or the folder of Debian's package dataset-fashion-mnist)",
    )
    _add_output(train, "kerasviz-chapter", "the folder for the model, its log and the pictures")
    train.add_argument(
        "--subset", type=_at_least(5), metavar="N", help="train on so many images instead of all"
    )
    train.add_argument(
        "--epochs",
        type=_at_least(1),
        default=20,
        metavar="N",
        help="how many at most; training stops early (default: %(default)s)",
    )
    train.add_argument(
        "--seed", type=int, default=0, help="the seed of the weights (default: %(default)s)"
    )
    return parser


def _add_output(parser: argparse.ArgumentParser, folder: str, what: str) -> None:
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(folder),
        metavar="DIR",
        help=f"{what} (default: %(default)s)",
    )


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be an integer of at least {least}: {text!r}")
        return int(text)

    return number


def _demo(options: argparse.Namespace) -> None:
    files = write_demo(options.output)
    print("Kernels and feature maps of a small network trained on Fashion-MNIST:")
    _list(files)


def _train_example(options: argparse.Namespace) -> None:
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


def _list(files: Iterable[Path]) -> None:
    for file in files:
        print(f"  {file}")


def write_demo(folder: Path) -> list[Path]:
    """Draw the trained and the untrained reference network into a folder; return the files."""
    folder.mkdir(parents=True, exist_ok=True)

    import keras

    trained = kerasviz.fashion_mnist.load_model()
    keras.utils.set_random_seed(0)
    untrained = kerasviz.fashion_mnist.build_model()
    images, _ = kerasviz.fashion_mnist.load_samples()

    plots = {
        "kernels-trained.png": kerasviz.plot_kernels(
            trained, "conv2d", vmin=-0.5, vmax=0.5, title="conv2d, trained: 32 kernels, 3×3"
        ),
        "kernels-untrained.png": kerasviz.plot_kernels(
            untrained, "conv2d", vmin=-0.5, vmax=0.5, title="conv2d, untrained: 32 kernels, 3×3"
        ),
        "feature-maps-conv2d.png": kerasviz.plot_feature_maps(trained, "conv2d", images),
        "feature-maps-conv2d_1.png": kerasviz.plot_feature_maps(trained, "conv2d_1", images),
    }
    for name, plot in plots.items():
        plot.savefig(folder / name)
    return [folder / name for name in plots]
