"""List images whose folders are named after their classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from kerasviz.cli.errors import CommandError


class LabelledFiles(NamedTuple):
    """Image files, the class of each, and the names of the classes."""

    paths: list[Path]
    labels: list[int]
    class_names: list[str]


def list_by_folder(
    folders: Iterable[Path],
    class_names: Sequence[str] | None,
    list_images: Callable[[Path], list[Path]],
) -> LabelledFiles:
    """Return the images in the folders inside of folders, each named after a class.

    Args:
        folders: The folders that hold one folder per class.
        class_names: The names of all classes, in the order of the model's outputs. `None`: those
            of the folders, sorted, as `keras.utils.image_dataset_from_directory` sorts them.
        list_images: Returns the images in a folder.

    Raises:
        CommandError: A path is not such a folder, or a folder has not the name of a class.
    """
    inner: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise CommandError(f"--labels by-folder needs a folder with one per class: {folder}")
        inner += [path for path in folder.iterdir() if path.is_dir()]
    names = sorted({path.name for path in inner}) if class_names is None else list(class_names)
    if not inner:
        raise CommandError("--labels by-folder needs folders named after classes, and finds none")
    paths: list[Path] = []
    labels: list[int] = []
    for path in sorted(inner):
        if path.name not in names:
            raise CommandError(f"the folder is not named after one of the classes: {path}")
        images = list_images(path)
        paths += images
        labels += [names.index(path.name)] * len(images)
    return LabelledFiles(paths, labels, names)


def name_files(paths: Sequence[Path]) -> list[str]:
    """Return a name for each file: its own, after that of its folder where another has the same."""
    names = [path.name for path in paths]
    return [
        name if names.count(name) == 1 else f"{path.absolute().parent.name}/{name}"
        for path, name in zip(paths, names, strict=True)
    ]
