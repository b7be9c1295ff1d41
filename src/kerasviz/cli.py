"""The command `kerasviz`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import kerasviz


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, or 1 for a failure that is not a bug."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up chatter
    os.environ["MPLBACKEND"] = "Agg"
    try:
        files = write_demo(options.output)
    except OSError as error:
        print(f"kerasviz: {error}", file=sys.stderr)
        return 1
    print("Kernels and feature maps of a small network trained on Fashion-MNIST:")
    for file in files:
        print(f"  {file}")
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
    demo.add_argument(
        "--output",
        type=Path,
        default=Path("kerasviz-demo"),
        metavar="DIR",
        help="the folder for the PNG files (default: %(default)s)",
    )
    return parser


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
