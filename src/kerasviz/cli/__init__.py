"""The command `kerasviz`.

`argparse` reads the arguments: it is part of Python, and no command here needs more than it has.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import kerasviz
from kerasviz.cli import commands
from kerasviz.cli.failure import CommandError
from kerasviz.cli.terminal import plain_warnings, remark

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, or 1 for a failure that is not a bug."""
    options = _parser().parse_args(_join_values(sys.argv[1:] if arguments is None else arguments))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up chatter
    os.environ["MPLBACKEND"] = "Agg"
    try:
        with plain_warnings():
            options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # as with `| head`: nobody reads on, which is not worth a message
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        remark(f"{error.strerror}: {error.filename}" if error.filename else error)
        return 1
    except CommandError as error:
        remark(error)
        return 1
    except KeyboardInterrupt:
        remark("interrupted")
        return 1
    return 0


def _join_values(arguments: Sequence[str]) -> list[str]:
    """Return arguments in which a value such as -1-1 or -3: is joined to its option by "=".

    Alone, argparse takes it for an option, unless it is a plain number.
    """
    joined: list[str] = []
    for argument in arguments:
        is_value = bool(joined) and re.fullmatch(r"-\d.*", argument)
        if is_value and re.fullmatch(r"--[\w-]+", joined[-1]):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kerasviz",
        description="See inside Keras models: kernels and feature maps.",
        epilog="`kerasviz COMMAND --help` explains a command, with examples.",
    )
    parser.add_argument("--version", action="version", version=kerasviz.__version__)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str,
        run: Callable[[argparse.Namespace], None],
        *,
        brief: str,
        text: str,
        epilog: Sequence[str] = (),
    ) -> argparse.ArgumentParser:
        added = subparsers.add_parser(
            name,
            help=brief,
            description=text,
            epilog="\n".join([*epilog, EXIT_CODES]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run)
        return added

    layers = command(
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
    _add_model(layers)
    layers.add_argument(
        "layer",
        metavar="LAYER",
        nargs="?",
        help="a layer's address, or a pattern (default: every convolution)",
    )

    kernels = command(
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
    _add_model(kernels)
    kernels.add_argument(
        "layer",
        metavar="LAYER",
        nargs="?",
        help="a layer's address, or a pattern (default: every convolution)",
    )
    kernels.add_argument(
        "--channel",
        default="auto",
        metavar="C",
        help="which input channel: a number, mean, principal, rgb, all (default: %(default)s)",
    )
    _add_drawing(kernels)

    maps = command(
        "maps",
        commands.maps,
        brief="draw the feature maps of images",
        text=(
            "Draw every feature map that a layer makes of an image. Of several images:\n"
            "a table with one row per image, named after its file, and one column per map."
        ),
        epilog=(
            ADDRESS,
            VALUES,
            SAFETY,
            (
                "Examples:\n"
                "  kerasviz maps model.keras conv2d boot.png --values 0-1 -o maps.png\n"
                "  kerasviz maps model.keras conv5_block3_out cat.jpg dog.jpg \\\n"
                "      --values resnet50 --top 8 --labels -o maps.svg\n"
            ),
        ),
    )
    _add_model(maps)
    maps.add_argument("layer", metavar="LAYER", help="a layer's address, or a pattern")
    maps.add_argument(
        "images",
        metavar="IMAGE",
        nargs="+",
        type=_path,
        help="PNG, JPEG, …, .npy, or a folder of these",
    )
    maps.add_argument(
        "--values",
        default="0-255",
        metavar="V",
        help="what the model was trained on: 0-255, 0-1, -1-1, or an architecture such as "
        "resnet50 (default: %(default)s)",
    )
    maps.add_argument(
        "--overlay", action="store_true", help="draw each map over the image that caused it"
    )
    _add_drawing(maps)

    why = command(
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
    _add_model(why)
    why.add_argument(
        "images",
        metavar="IMAGE",
        nargs="+",
        type=_path,
        help="PNG, JPEG, …, .npy, or a folder of these",
    )
    why.add_argument(
        "--method",
        action="append",
        choices=METHODS,
        metavar="METHOD",
        help="give it again for another column (default: integrated-gradients)",
    )
    why.add_argument(
        "--target",
        type=_target,
        metavar="C",
        help="the class to explain, or two as 9,7: why 9 and not 7 (default: what the model says)",
    )
    why.add_argument(
        "--layer", metavar="LAYER", help="the layer that class activation maps explain by"
    )
    why.add_argument(
        "--classes", type=_path, metavar="FILE", help="a text file with one class name per line"
    )
    why.add_argument(
        "--values",
        default="0-255",
        metavar="V",
        help="what the model was trained on: 0-255, 0-1, -1-1, or an architecture such as "
        "resnet50 (default: %(default)s)",
    )
    why.add_argument(
        "--smooth", action="store_true", help="draw cells smoothly, finer than they are"
    )
    _add_file(why)

    demo = command(
        "demo",
        commands.demo,
        brief="draw the network that ships with kerasviz",
        text=(
            "Write pictures of the kernels and feature maps of a small network that was trained\n"
            "on Fashion-MNIST. Network and images ship with kerasviz; nothing is downloaded."
        ),
    )
    _add_output(demo, "kerasviz-demo", "the folder for the PNG files")

    train = command(
        "train-example",
        commands.train_example,
        brief="train that network on Fashion-MNIST, and draw the whole chapter",
        text=(
            "Train the small network that ships with kerasviz on Fashion-MNIST again, save it,\n"
            "and write every picture that explains it: what its layers do, how training went,\n"
            "what it learned and what it sees. Takes some minutes; with --subset 2000, one."
        ),
    )
    train.add_argument(
        "--data",
        type=_path,
        metavar="DIR",
        help="the folder with the four idx files of Fashion-MNIST, gzipped or not (default: "
        "Keras's cache, or the folder of Debian's package dataset-fashion-mnist)",
    )
    _add_output(train, "kerasviz-chapter", "the folder for the model, its log and the pictures")
    train.add_argument(
        "--subset", type=_integer(5, 60_000), metavar="N", help="train on N images instead of all"
    )
    train.add_argument(
        "--epochs",
        type=_integer(1, 10_000),
        default=20,
        metavar="N",
        help="the most epochs; training stops early (default: %(default)s)",
    )
    train.add_argument(
        "--seed",
        type=_integer(0, 2**32 - 1),
        default=0,
        metavar="N",
        help="the seed of the weights (default: %(default)s)",
    )

    completion = command(
        "completion",
        lambda options: commands.completion(options, parser),
        brief="print the completion of these commands for a shell",
        text=(
            "Print what makes a shell complete these commands. Needs shtab:\n"
            "  pip install 'kerasviz[completion]'"
        ),
        epilog=('Example, in ~/.bashrc:\n  eval "$(kerasviz completion bash)"\n',),
    )
    completion.add_argument("shell", choices=["bash", "zsh", "tcsh"])
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", type=_path, help="a .keras or .h5 file")
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="load a model whose file may run code of its own, as a Lambda layer does",
    )


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        type=_path,
        required=True,
        metavar="FILE",
        help="the picture to write: .png, .svg or .pdf",
    )
    parser.add_argument(
        "--dpi", type=_integer(10, 2400), default=100, metavar="N", help="dots per inch, of a PNG"
    )
    parser.add_argument(
        "--figsize",
        type=_size,
        metavar="W,H",
        help="width and height in inches, such as 8,6 (default: as large as it needs)",
    )


def _add_drawing(parser: argparse.ArgumentParser) -> None:
    _add_file(parser)
    parser.add_argument(
        "--tiles", type=_tiles, metavar="T", help="which ones: 5, 0,3,7, 0:16 or all"
    )
    parser.add_argument(
        "--sort", choices=["norm", "mean"], help="strongest first, of those that --tiles names"
    )
    parser.add_argument(
        "--top",
        type=_integer(1, 1_000_000),
        metavar="K",
        help="the K strongest, of those that --tiles names",
    )
    parser.add_argument(
        "--scale",
        choices=["layer", "tile", "figure"],
        default="layer",
        help="one colour scale per layer, per tile or for all (default: %(default)s)",
    )
    parser.add_argument("--columns", type=_integer(1, 10_000), metavar="N", help="tiles per row")
    parser.add_argument(
        "--labels",
        action=argparse.BooleanOptionalAction,
        help="number the tiles, or do not (default: of the 64 strongest of many)",
    )
    parser.add_argument("--cmap", metavar="NAME", help="a Matplotlib colormap")


def _add_output(parser: argparse.ArgumentParser, folder: str, what: str) -> None:
    parser.add_argument(
        "--output",
        type=_path,
        default=Path(folder),
        metavar="DIR",
        help=f"{what} (default: %(default)s)",
    )


def _integer(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not re.fullmatch(r"\d{1,12}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f"must be an integer from {least} to {most}: {text[:40]!r}"
            )
        return int(text)

    return number


def _path(text: str) -> Path:
    """Return a path; an empty one, as of a variable that is not set, would be the folder here."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return Path(text)


def _target(text: str) -> int | tuple[int, int]:
    classes = [int(part) for part in text.split(",")] if re.fullmatch(r"[\d,]{1,30}", text) else []
    if len(classes) == 1:
        return classes[0]
    if len(classes) == 2:
        return classes[0], classes[1]
    raise argparse.ArgumentTypeError(f"must be a class such as 3, or two as 9,7: {text[:40]!r}")


def _size(text: str) -> tuple[float, float]:
    if not re.fullmatch(r"\d{1,4}(\.\d{1,4})?,\d{1,4}(\.\d{1,4})?", text):
        raise argparse.ArgumentTypeError(
            f"must be a width and a height in inches such as 8,6: {text[:40]!r}"
        )
    width, height = map(float, text.split(","))
    return width, height


def _tiles(text: str) -> int | slice | list[int] | str:
    if text == "all":
        return text
    index = r"-?\d{1,12}"
    if re.fullmatch(rf"{index}(,{index})*", text):
        indices = [int(part) for part in text.split(",")]
        return indices[0] if len(indices) == 1 else indices
    if re.fullmatch(rf"({index})?(:({index})?){{1,2}}", text):
        return slice(*(int(part) if part else None for part in text.split(":")))
    raise argparse.ArgumentTypeError(
        f"must be an index, indices with commas, a slice such as 0:16, or all: {text[:40]!r}"
    )
