"""Records of snapshots as files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kerasviz.logs.snapshots import (
    SnapshotRecord,
    choose_series,
    list_records,
    read_record,
    step_name,
    write_record,
)


@pytest.fixture
def record(rng):
    return SnapshotRecord(
        kind="kernels",
        address="encoder:1/conv",
        order=2,
        unit="batch",
        step=300,
        key="channel='auto'",
        notes=("a", "b × c"),
        arrays={"values": rng.normal(size=(2, 3, 3)), "indices": np.array([5, 1])},
        facts={"total": 8, "signed": True, "table": {"row_noun": "sample"}},
    )


def test_a_record_comes_back_as_it_was(record, tmp_path):
    write_record(tmp_path / "a.npz", record)
    back = read_record(tmp_path / "a.npz")
    for name in ("values", "indices"):
        np.testing.assert_array_equal(back.arrays[name], record.arrays[name], strict=True)
    assert replace(back, arrays={}) == replace(record, arrays={})
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_steps_are_in_the_order_of_their_numbers(record, tmp_path):
    for step in (10**8, 7, 12345):
        write_record(tmp_path / f"kernels-{step_name('batch', step)}.npz", record)
    write_record(tmp_path / f"kernels-2-{step_name('epoch', 3)}.npz", record)
    (tmp_path / "other.npz").write_bytes(b"")
    names = {name: [path.name for path in files] for name, files in list_records(tmp_path).items()}
    assert names == {
        "kernels": [
            "kernels-batch-00000007.npz",
            "kernels-batch-00012345.npz",
            "kernels-batch-100000000.npz",
        ],
        "kernels-2": ["kernels-2-epoch-0003.npz"],
    }


def test_records_with_other_settings_are_a_series_of_their_own(record, tmp_path):
    assert choose_series(tmp_path, "kernels", record.key) == "kernels"
    write_record(tmp_path / "kernels-epoch-0001.npz", record)
    assert choose_series(tmp_path, "kernels", record.key) == "kernels"
    assert choose_series(tmp_path, "kernels", "other") == "kernels-2"
    (tmp_path / "kernels-2.gif").write_bytes(b"")  # an animation whose records were deleted
    assert choose_series(tmp_path, "kernels", "other") == "kernels-3"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"text"], ids=str)
def test_a_file_of_something_else_is_an_os_error(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(OSError, match=r"a\.npz' cannot be read"):
        read_record(tmp_path / "a.npz")
