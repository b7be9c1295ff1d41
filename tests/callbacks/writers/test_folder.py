"""Names and files."""

from __future__ import annotations

import errno
import re

import pytest

from kerasviz.callbacks.schedule import Interval
from kerasviz.callbacks.writers.folder import PictureFolder, open_folder, safe_names

ODD = ["encoder:1/conv", "encoder/1:conv", "encoder-1-conv", "a b", "..", ".", "", "con", "COM1"]


def test_an_address_that_can_be_a_name_is_one():
    plain = ["conv2d", "conv2d_1", "block1.conv", "Conv1", "계층"]
    assert safe_names(plain) == dict(zip(plain, plain, strict=True))


@pytest.mark.parametrize("addresses", [ODD, ["Conv", "conv"], ["x" * 300, "x" * 301]], ids=len)
def test_every_name_is_safe_and_its_own(addresses, tmp_path):
    names = safe_names(addresses)
    assert list(names) == addresses
    assert len({name.casefold() for name in names.values()}) == len(addresses)
    for address, name in names.items():
        assert re.fullmatch(r"[\w-][\w.-]*", name)
        assert name.lower() not in ("con", "com1")
        assert len(name) < 100
        (tmp_path / name).mkdir()
        assert safe_names([address])[address] in (name, address)


def test_a_folder_is_made(tmp_path):
    open_folder(tmp_path / "a/b", "gif")
    assert not [*(tmp_path / "a/b").iterdir()]


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_to(tmp_path, path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="`gif` must be a folder that can be written to: ") as error:
        open_folder(tmp_path / path, "gif")
    assert error.value.errno in (errno.EEXIST, errno.ENOTDIR)
    assert str(error.value).endswith(f"Received: gif='{tmp_path / path}'")


def test_pictures_are_never_overwritten(tmp_path):
    pictures = PictureFolder(tmp_path, "kernels", Interval(1, "epoch"))
    assert pictures.open() == 0
    for png in (b"a", b"b", b"c"):
        pictures.write("conv", 3, png)
    found = {path.name: path.read_bytes() for path in (tmp_path / "conv").iterdir()}
    assert found == {
        "kernels-epoch-0003.png": b"a",
        "kernels-epoch-0003-2.png": b"b",
        "kernels-epoch-0003-3.png": b"c",
    }
    assert pictures.open() == 3


def test_the_last_picture_of_the_same_kind_counts(tmp_path):
    for kind, unit, number in (
        ("kernels", "epoch", 12345),
        ("feature_maps", "epoch", 99999),
        ("kernels", "batch", 10**6),
    ):
        PictureFolder(tmp_path, kind, Interval(1, unit)).write(unit, number, b"")
    (tmp_path / "epoch/kernels-epoch-77777.gif").write_bytes(b"")
    assert PictureFolder(tmp_path, "kernels", Interval(1, "epoch")).open() == 12345
    assert PictureFolder(tmp_path, "kernels", Interval(1, "batch")).open() == 10**6
    assert PictureFolder(tmp_path, "kernel", Interval(1, "batch")).open() == 0


def test_a_folder_that_vanished_does_not_come_back(tmp_path):
    pictures = PictureFolder(tmp_path / "gone", "kernels", Interval(1, "epoch"))
    with pytest.raises(FileNotFoundError):
        pictures.write("conv", 1, b"")
    assert not [*tmp_path.iterdir()]
