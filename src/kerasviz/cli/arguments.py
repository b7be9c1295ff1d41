"""Add the arguments that several commands have in common."""

from __future__ import annotations

import argparse
from pathlib import Path

from kerasviz.cli.values import read_integer, read_path, read_size, read_tiles


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the file of the model, and whether to trust it."""
    parser.add_argument("model", metavar="MODEL", type=read_path, help="a .keras or .h5 file")
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="load a model whose file may run code of its own, as a Lambda layer does",
    )


def add_layer(parser: argparse.ArgumentParser) -> None:
    """Add a layer, or pattern of layers, that may be left out."""
    parser.add_argument(
        "layer",
        metavar="LAYER",
        nargs="?",
        help="a layer's address, or a pattern (default: every convolution)",
    )


def add_images(parser: argparse.ArgumentParser, *, least: str = "+") -> None:
    """Add the images that a model is called on: "+" for one or more, "*" for any number."""
    parser.add_argument(
        "images",
        metavar="IMAGE",
        nargs=least,
        type=read_path,
        help="PNG, JPEG, …, .npy, or a folder of these",
    )


def add_values(parser: argparse.ArgumentParser) -> None:
    """Add which values of pixels the model was trained on."""
    parser.add_argument(
        "--values",
        default="0-255",
        metavar="V",
        help="what the model was trained on: 0-255, 0-1, -1-1, or an architecture such as "
        "resnet50 (default: %(default)s)",
    )


def add_output(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the file that is written."""
    parser.add_argument("-o", "--output", type=read_path, required=True, metavar="FILE", help=what)


def add_file(parser: argparse.ArgumentParser) -> None:
    """Add the file of the picture, its resolution and its size."""
    add_output(parser, "the picture to write: .png, .svg or .pdf")
    parser.add_argument(
        "--dpi",
        type=read_integer(10, 2400),
        default=100,
        metavar="N",
        help="dots per inch, of a PNG",
    )
    parser.add_argument(
        "--figsize",
        type=read_size,
        metavar="W,H",
        help="width and height in inches, such as 8,6 (default: as large as it needs)",
    )


def add_drawing(parser: argparse.ArgumentParser) -> None:
    """Add the file of the picture, and which tiles are drawn how."""
    add_file(parser)
    parser.add_argument(
        "--tiles", type=read_tiles, metavar="T", help="which ones: 5, 0,3,7, 0:16 or all"
    )
    parser.add_argument(
        "--sort", choices=["norm", "mean"], help="strongest first, of those that --tiles names"
    )
    parser.add_argument(
        "--top",
        type=read_integer(1, 1_000_000),
        metavar="K",
        help="the K strongest, of those that --tiles names",
    )
    parser.add_argument(
        "--scale",
        choices=["layer", "tile", "figure"],
        default="layer",
        help="one colour scale per layer, per tile or for all (default: %(default)s)",
    )
    parser.add_argument(
        "--columns", type=read_integer(1, 10_000), metavar="N", help="tiles per row"
    )
    parser.add_argument(
        "--labels",
        action=argparse.BooleanOptionalAction,
        help="number the tiles, or do not (default: of the 64 strongest of many)",
    )
    parser.add_argument("--cmap", metavar="NAME", help="a Matplotlib colormap")


def add_folder(parser: argparse.ArgumentParser, folder: str, what: str) -> None:
    """Add the folder for what is written."""
    parser.add_argument(
        "--output",
        type=read_path,
        default=Path(folder),
        metavar="DIR",
        help=f"{what} (default: %(default)s)",
    )
