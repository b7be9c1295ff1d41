"""Draw pictures with two versions of kerasviz, and put them side by side to be looked at.

Each public function of a module in `sheets/` draws one picture and returns its `Plot`: a new one
is drawn by itself.

    python benchmarks/sheet.py OUTPUT --before CHECKOUT              # all modules
    python benchmarks/sheet.py OUTPUT --before CHECKOUT tiles charts # some
    python benchmarks/sheet.py OUTPUT tiles                          # without another version
    python benchmarks/sheet.py OUTPUT tiles --only many              # pictures named *many*

OUTPUT gets the folders `before` and `after`, with one PNG per picture, and one sheet per module.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import fill
from typing import Any

from PIL import Image, ImageDraw

HERE = Path(__file__).parent
WIDTH, GAP, LINE = 900, 20, 24
"""Width of a picture on a sheet, the distance between two, and the height of its name, in dots."""


def main() -> None:
    """Draw, with each version in a process of its own, and join."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path, help="the folder to write into")
    parser.add_argument("modules", nargs="*", help="modules in sheets/, all by default")
    parser.add_argument("--before", type=Path, help="a checkout of another version")
    parser.add_argument("--only", default="", help="draw the pictures with this in their name")
    parser.add_argument("--draw", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_intermixed_args()
    modules = args.modules or [path.stem for path in sorted((HERE / "sheets").glob("[!_]*.py"))]
    if args.draw:
        for module in modules:
            draw(module, args.output, args.only)
        return
    versions = {"before": args.before, "after": HERE.parent}
    for name, checkout in versions.items():
        if checkout is not None:
            source = {"PYTHONPATH": str(checkout.resolve() / "src")}
            command = [sys.executable, __file__, str(args.output / name), *modules, "--draw"]
            command += ["--only", args.only]
            subprocess.run(command, check=True, env={**os.environ, **source, "MPLBACKEND": "agg"})
    for module in modules:
        join(module, args.output, [name for name in versions if (args.output / name).is_dir()])


def pictures(module: str) -> dict[str, Callable[[], Any]]:
    """Return the functions of a module that draw, by their names."""
    found = importlib.import_module(f"sheets.{module}")
    return {
        name: function
        for name, function in inspect.getmembers(found, inspect.isfunction)
        if function.__module__ == found.__name__ and not name.startswith("_")
    }


def draw(module: str, folder: Path, only: str) -> None:
    """Draw the pictures of a module; where one cannot be drawn, the reason is its picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, function in pictures(module).items():
        if only not in name:
            continue
        path = folder / f"{module}-{name}.png"
        try:
            plot = function()
            plot.savefig(path)
            plot.close()
        # The other version may not have a name or a keyword yet.
        except (AttributeError, TypeError, ValueError) as error:
            page = Image.new("RGB", (WIDTH, 160), "white")
            text = fill(f"{type(error).__name__}: {error}", 100)
            ImageDraw.Draw(page).text((GAP, GAP), text, fill="red", font_size=16)
            page.save(path)


def join(module: str, output: Path, versions: list[str]) -> None:
    """Put the pictures of a module on one sheet: a row per picture, a column per version."""
    names = sorted({path.name for each in versions for path in (output / each).glob("*.png")})
    rows = []
    for name in (name for name in names if name.startswith(f"{module}-")):
        shown = [_open(output / version / name) for version in versions]
        rows.append((name.removesuffix(".png"), shown))
    height = sum(_height(images) for _, images in rows)
    sheet = Image.new("RGB", (len(versions) * (WIDTH + GAP) + GAP, height + GAP), "#bbbbbb")
    pen, top = ImageDraw.Draw(sheet), GAP
    for name, images in rows:
        for column, (version, image) in enumerate(zip(versions, images, strict=True)):
            left = GAP + column * (WIDTH + GAP)
            pen.text((left, top - GAP // 2), f"{name}, {version}", fill="black", font_size=16)
            sheet.paste(image, (left, top + LINE - GAP // 2))
        top += _height(images)
    sheet.save(output / f"{module}.png")


def _height(images: list[Image.Image]) -> int:
    return max(image.height for image in images) + LINE + GAP


def _open(path: Path) -> Image.Image:
    """Return a picture no wider than its column, an empty one where there is none."""
    if not path.exists():
        return Image.new("RGB", (WIDTH, LINE), "white")
    with Image.open(path) as image:
        image = image.convert("RGB")
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)))
    return image


if __name__ == "__main__":
    main()
