"""Declare the commands, their arguments and their help.

`argparse` reads the arguments: it is part of Python, and no command here needs more than it has.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import kerasviz
from kerasviz.cli import commands
from kerasviz.cli.arguments import (
    add_drawing,
    add_file,
    add_folder,
    add_images,
    add_layer,
    add_model,
    add_output,
    add_values,
)
from kerasviz.cli.values import read_integer, read_path, read_target, read_tiles

AddCommand = Callable[..., argparse.ArgumentParser]
"""Adds a command; it hides the subparsers, whose type has no public name in argparse."""
ADDRESS = """\
A LAYER is named as in Python:
  conv2d_1                   by its name, also inside a nested model where the name is unique
  resnet50/conv1_conv        inside the nested model resnet50
  encoder:1                  the second call of a layer that is called more than once
  'attention#1'              the second output of a layer that returns several
  'block?_conv*'             every layer that the pattern matches; quote it for the shell
`kerasviz layers MODEL` lists the addresses.
"""
SAFETY = """\
MODEL is a file that Keras saved: .keras, or the older .h5. It is loaded in Keras's safe mode, in
which a file cannot run Python code of its own. A model with a Lambda layer needs --unsafe; give it
only for a file that you trust as much as a program that you run.
"""
EXIT_CODES = "Exit codes: 0 success, 1 failure, 2 usage error.\n"
VALUES = """\
Images are read as values from 0 to 255, those of 16 bits as well, and resized to what the model
takes; a line says if that changes the ratio of their sides or takes their colours. --values says
what the model was trained on: 0-255 for a model that rescales its input itself, 0-1, -1-1, or the
name of an architecture in keras.applications, such as resnet50, for its own preprocessing. The
picture shows a photo as it is in its file. A .npy file is taken as it is.
"""
METHODS = (
    "gradient",
    "input-x-gradient",
    "smoothgrad",
    "integrated-gradients",
    "occlusion",
    "rise",
    "grad-cam",
    "grad-cam++",
    "hires-cam",
    "layer-cam",
    "score-cam",
)
"""Those of `get_attributions`, listed here since a look at the help must not import Keras."""


class _CommandParser(argparse.ArgumentParser):
    """A parser that takes options also between the arguments, such as before LAYER.

    Without this, argparse fills optional arguments with nothing at the first option that it meets.
    """

    _is_entered = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as `ArgumentParser` does, all positional arguments at once."""
        if self._is_entered:  # by the call below, in some versions of Python
            return super().parse_known_args(args, namespace)
        self._is_entered = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_entered = False


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="kerasviz",
        description="See inside Keras models: kernels and feature maps.",
        epilog="`kerasviz COMMAND --help` explains a command, with examples.",
    )
    parser.add_argument("--version", action="version", version=kerasviz.__version__)
    subparsers = parser.add_subparsers(
        metavar="COMMAND", required=True, parser_class=_CommandParser
    )
    add_command = partial(_add_command, subparsers)
    _add_layers(add_command)
    _add_kernels(add_command)
    _add_maps(add_command)
    _add_why(add_command)
    _add_filters(add_command)
    _add_report(add_command)
    _add_demo(add_command)
    _add_train_example(add_command)
    _add_completion(add_command, parser)
    return parser


def _add_command(
    subparsers: Any,
    name: str,
    run: Callable[[argparse.Namespace], None],
    *,
    brief: str,
    text: str,
    epilog: Sequence[str] = (),
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=brief,
        description=text,
        epilog="\n".join([*epilog, EXIT_CODES]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _add_layers(add_command: AddCommand) -> None:
    parser = add_command(
        "layers",
        commands.layers,
        brief="list the layers that you can plot",
        text=(
            "List the convolutions of a model, or the layers that a pattern matches,\n"
            "one per line: address, class, shape of the kernel, shape of the output."
        ),
        epilog=(
            SAFETY,
            "Examples:\n  kerasviz layers model.keras\n  kerasviz layers model.keras '*'\n",
        ),
    )
    add_model(parser)
    add_layer(parser)


def _add_kernels(add_command: AddCommand) -> None:
    parser = add_command(
        "kernels",
        commands.kernels,
        brief="draw the kernels of a layer",
        text="Draw every kernel of a layer, or of several layers, as one picture.",
        epilog=(
            ADDRESS,
            SAFETY,
            (
                "Examples:\n"
                "  kerasviz kernels model.keras conv2d -o kernels.png\n"
                "  kerasviz kernels model.keras 'block?_conv1' -o kernels.pdf --top 16 --labels\n"
            ),
        ),
    )
    add_model(parser)
    add_layer(parser)
    parser.add_argument(
        "--channel",
        default="auto",
        metavar="C",
        help="which input channel: a number, mean, principal, rgb, all (default: %(default)s)",
    )
    add_drawing(parser)


def _add_maps(add_command: AddCommand) -> None:
    parser = add_command(
        "maps",
        commands.maps,
        brief="draw the feature maps of images",
        text=(
            "Draw every feature map that a layer makes of an image, beside the image itself. Of\n"
            "several images: a table with one row per image, named after its file, and one column\n"
            "per map."
        ),
        epilog=(
            ADDRESS,
            VALUES,
            SAFETY,
            (
                "Examples:\n"
                "  kerasviz maps model.keras conv2d boot.png --values 0-1 -o maps.png\n"
                "  kerasviz maps model.keras boot.png --values 0-1 --figsize 10,8 -o all.png\n"
                "  kerasviz maps model.keras conv5_block3_out cat.jpg dog.jpg \\\n"
                "      --values resnet50 --top 8 --labels -o maps.svg\n"
            ),
        ),
    )
    add_model(parser)
    add_layer(parser)
    add_images(parser)
    add_values(parser)
    parser.add_argument(
        "--overlay", action="store_true", help="draw each map over the image that caused it"
    )
    add_drawing(parser)


def _add_why(add_command: AddCommand) -> None:
    parser = add_command(
        "why",
        commands.why,
        brief="draw why a model answers as it does",
        text=(
            "Draw which parts of an image made a model answer as it did (saliency, Grad-CAM and\n"
            "others), with the evidence for it beside each map. Of several images: a row each."
        ),
        epilog=(
            f"METHOD is one of {', '.join(METHODS)}.\n",
            VALUES,
            SAFETY,
            (
                "Examples:\n"
                "  kerasviz why model.keras boot.png --values 0-1 -o why.png\n"
                "  kerasviz why model.keras cat.jpg --values resnet50 --method grad-cam \\\n"
                "      --method integrated-gradients --target 281 -o why.pdf\n"
            ),
        ),
    )
    add_model(parser)
    add_images(parser)
    _add_question(parser)
    add_values(parser)
    parser.add_argument(
        "--smooth", action="store_true", help="draw cells smoothly, finer than they are"
    )
    add_file(parser)


def _add_filters(add_command: AddCommand) -> None:
    parser = add_command(
        "filters",
        commands.filters,
        brief="draw what each filter looks for in a folder of images",
        text=(
            "Draw a card per filter of a layer: its kernel, the input that drives it most, the\n"
            "images with its strongest responses, and what it saw there. The images are read a\n"
            "few at a time, so that there may be any number of them."
        ),
        epilog=(
            (
                "With --labels by-folder, FOLDER has one folder per class. The classes are in the\n"
                "order of their names, or in that of --classes.\n"
            ),
            ADDRESS,
            VALUES,
            SAFETY,
            (
                "Examples:\n"
                "  kerasviz filters model.keras conv2d_1 --images images/ -o cards.png\n"
                "  kerasviz filters model.keras conv2d_1 --images images/ --labels by-folder \\\n"
                "      --values 0-1 --filters 3,8,62 -o cards.pdf\n"
            ),
        ),
    )
    add_model(parser)
    add_layer(parser)
    parser.add_argument(
        "--images",
        metavar="FOLDER",
        nargs="+",
        required=True,
        type=read_path,
        help="a folder of PNG, JPEG, …, .npy files, or the files",
    )
    _add_labels(parser)
    _add_choice_of_filters(parser)
    add_values(parser)
    add_file(parser)


def _add_labels(parser: argparse.ArgumentParser) -> None:
    """Add how the classes of images are known, and their names."""
    parser.add_argument(
        "--labels", choices=["by-folder"], help="how the class of each image is known"
    )
    parser.add_argument(
        "--classes", type=read_path, metavar="FILE", help="a text file with one class name per line"
    )


def _add_choice_of_filters(parser: argparse.ArgumentParser) -> None:
    """Add which filters get a card, and in which order."""
    parser.add_argument(
        "--filters",
        type=read_tiles,
        default=8,
        metavar="F",
        help="how many: 8; or which: 0,3,7, 0:16 or all (default: %(default)s)",
    )
    parser.add_argument(
        "--sort",
        choices=["selectivity", "maximum", "mean", "rate", "odd"],
        default="selectivity",
        help="which come first (default: %(default)s, without labels maximum)",
    )


def _add_report(add_command: AddCommand) -> None:
    parser = add_command(
        "report",
        commands.report,
        brief="write one page about a model, to share",
        text=(
            "Write one HTML file that shows a model: its architecture to click on, the kernels\n"
            "of each layer, its feature maps for each image, and what is odd, in plain words. It\n"
            "needs no network and no other file."
        ),
        epilog=(
            (
                "With --labels by-folder, IMAGE is a folder with one folder per class. The\n"
                "classes are in the order of their names, or in that of --classes.\n"
            ),
            VALUES,
            SAFETY,
            (
                "Examples:\n"
                "  kerasviz report model.keras -o report.html\n"
                "  kerasviz report model.keras images/ --labels by-folder --values 0-1 \\\n"
                "      -o report.html\n"
            ),
        ),
    )
    add_model(parser)
    add_images(parser, least="*")
    _add_labels(parser)
    parser.add_argument(
        "--samples",
        type=read_integer(1, 100),
        default=12,
        metavar="N",
        help="how many images have their maps in the page (default: %(default)s)",
    )
    add_values(parser)
    add_output(parser, "the page to write: .html")


def _add_question(parser: argparse.ArgumentParser) -> None:
    """Add what is explained, and by which methods."""
    parser.add_argument(
        "--method",
        action="append",
        choices=METHODS,
        metavar="METHOD",
        help="give it again for another column (default: integrated-gradients)",
    )
    parser.add_argument(
        "--target",
        type=read_target,
        metavar="C",
        help="the class to explain, or two as 9,7: why 9 and not 7 (default: what the model says)",
    )
    parser.add_argument(
        "--layer", metavar="LAYER", help="the layer that class activation maps explain by"
    )
    parser.add_argument(
        "--classes", type=read_path, metavar="FILE", help="a text file with one class name per line"
    )


def _add_demo(add_command: AddCommand) -> None:
    parser = add_command(
        "demo",
        commands.demo,
        brief="draw the network that ships with kerasviz",
        text=(
            "Write pictures of the kernels and feature maps of a small network that was trained\n"
            "on Fashion-MNIST, and a page that shows all of it. Network and images ship with\n"
            "kerasviz; nothing is downloaded."
        ),
    )
    add_folder(parser, "kerasviz-demo", "the folder for the PNG files and the page")


def _add_train_example(add_command: AddCommand) -> None:
    parser = add_command(
        "train-example",
        commands.train_example,
        brief="train that network on Fashion-MNIST, and draw the whole chapter",
        text=(
            "Train the small network that ships with kerasviz on Fashion-MNIST again, save it,\n"
            "and write every picture that explains it: what its layers do, how training went,\n"
            "what it learned and what it sees. Takes some minutes; with --subset 2000, one."
        ),
    )
    parser.add_argument(
        "--data",
        type=read_path,
        metavar="DIR",
        help="the folder with the four idx files of Fashion-MNIST, gzipped or not (default: "
        "Keras's cache, or the folder of Debian's package dataset-fashion-mnist)",
    )
    add_folder(parser, "kerasviz-chapter", "the folder for the model, its log and the pictures")
    parser.add_argument(
        "--subset",
        type=read_integer(5, 60_000),
        metavar="N",
        help="train on N images instead of all",
    )
    parser.add_argument(
        "--epochs",
        type=read_integer(1, 10_000),
        default=20,
        metavar="N",
        help="the most epochs; training stops early (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=read_integer(0, 2**32 - 1),
        default=0,
        metavar="N",
        help="the seed of the weights (default: %(default)s)",
    )


def _add_completion(add_command: AddCommand, main: argparse.ArgumentParser) -> None:
    parser = add_command(
        "completion",
        lambda options: commands.completion(options, main),
        brief="print the completion of these commands for a shell",
        text=(
            "Print what makes a shell complete these commands. Needs shtab:\n"
            "  pip install 'kerasviz[completion]'"
        ),
        epilog=('Example, in ~/.bashrc:\n  eval "$(kerasviz completion bash)"\n',),
    )
    parser.add_argument("shell", choices=["bash", "zsh", "tcsh"])
