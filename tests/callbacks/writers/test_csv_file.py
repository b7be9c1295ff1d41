"""The file that grows while a network is trained."""

from __future__ import annotations

import errno
import re
import signal
import time

import pytest

from kerasviz.callbacks.writers.csv_file import HEADER, Progress, StatisticsFile

ROWS = [(1, 3, "a/b", 0.5, -1e-300, 1 / 3, None, 0.25), (1, 3, 'x,"y"', 2.0, 0.0, 1, 1e-3, None)]
LINES = b'1,3,a/b,0.5,-1e-300,0.3333333333333333,,0.25\n1,3,"x,""y""",2.0,0.0,1,0.001,\n'


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new/records.csv"


@pytest.fixture
def file(path):
    file = StatisticsFile(path)
    assert file.open() == Progress(0, 0)
    return file


def test_statistics_file_adds_rows(file, path):
    assert path.read_bytes() == b""
    file.append(ROWS)
    assert path.read_bytes() == HEADER + b"\n" + LINES
    file.append(ROWS)
    assert path.read_bytes() == HEADER + b"\n" + LINES + LINES
    assert file.open() == Progress(1, 3)


def test_statistics_file_has_the_documented_columns():
    assert HEADER == b"epoch,step,layer,mean,std,norm,update_ratio,dead"


def test_statistics_file_goes_on_wherever_it_was_cut(file, path):
    whole = HEADER + b"\n" + LINES
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        rows = whole[:cut].count(b"\n") - 1
        assert file.open() == (Progress(1, 3) if rows > 0 else Progress())
        file.append(ROWS)
        kept = whole[: whole[:cut].rfind(b"\n") + 1] or HEADER + b"\n"
        assert path.read_bytes() == kept + LINES


def test_statistics_file_reads_only_the_end_of_a_long_file(file, path):
    file.append([(n, 9 * n, "conv", *[1 / 3] * 5) for n in range(1, 3001)])
    with path.open("ab") as stream:
        stream.write(b"3001,27")
    size = path.stat().st_size
    assert file.open() == Progress(3000, 27000)
    assert path.stat().st_size == size - 7


def test_statistics_file_goes_on_in_what_a_spreadsheet_saved(file, path):
    path.write_bytes((HEADER + b"\n" + LINES).replace(b"\n", b"\r\n"))
    assert file.open() == Progress(1, 3)


@pytest.mark.parametrize(
    "content",
    [
        b"epoch,loss\n0,0.5\n",
        b"a,b\n1,2\n",
        b"\x89PNG\r\n\x1a\n",
        b"epoch;step\n",
        HEADER + b"\nmine\n",
        HEADER + b"\n1" + 30 * b"0" + b",2,conv,0,1,2,,\n",
        HEADER + b"\n1," + 5000 * b"9" + b",conv,0,1,2,,\n",
        b"x",
    ],
    ids=str,
)
def test_statistics_file_leaves_a_file_of_something_else_alone(file, path, content):
    path.write_bytes(content)
    message = "`csv` must be a new file, or one that WeightStatistics wrote. Received: csv="
    with pytest.raises(ValueError, match=re.escape(message)):
        file.open()
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["folder", "file/below"])
def test_statistics_file_refuses_what_cannot_be_written_to(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    path = tmp_path / name
    with pytest.raises(OSError, match="`csv` must be a file that can be written to: ") as error:
        StatisticsFile(path).open()
    assert error.value.errno in (errno.EISDIR, errno.EEXIST, errno.ENOTDIR)
    assert str(error.value).endswith(f"Received: csv='{path}'")


def test_statistics_file_makes_no_folder_that_vanished(file, path, tmp_path):
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(FileNotFoundError):
        file.append(ROWS)
    assert not list(tmp_path.iterdir())


def test_statistics_file_begins_again_where_it_vanished(file, path):
    file.append(ROWS)
    path.unlink()
    file.append(ROWS)
    assert path.read_bytes() == HEADER + b"\n" + LINES


def fill(file):
    for _ in range(1000):
        file.append(ROWS)


def test_statistics_file_leaves_no_half_row_on_a_full_disk(small_disk):
    file = StatisticsFile(small_disk("8k") / "records.csv")
    file.open()
    with pytest.raises(OSError, match="No space left on device"):
        fill(file)
    content = file.path.read_bytes()
    assert len(content) > 4096
    assert content == HEADER + b"\n" + (content.count(b"\n") - 1) // 2 * LINES


WRITING = """
import sys, types, kerasviz
package = types.ModuleType("kerasviz.callbacks")  # without Keras, which takes seconds to import
package.__path__ = [kerasviz.__path__[0] + "/callbacks"]
sys.modules[package.__name__] = package
from kerasviz.callbacks.writers.csv_file import StatisticsFile
file = StatisticsFile(__import__("pathlib").Path("a.csv"))
step = file.open().step
print("ready", flush=True)
while True:
    step += 1
    file.append([(step, step, f"layer{n}", *[1 / 3] * 5) for n in range(2000)])
"""


def test_statistics_file_of_a_killed_program_has_one_cut_row_at_most(run_script, tmp_path):
    path = tmp_path / "a.csv"
    for _ in range(2):
        process = run_script(WRITING)
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        *lines, _ = path.read_text().split("\n")
        assert lines[0] == HEADER.decode()
        assert {line.count(",") for line in lines} == {7}
    last = int(lines[-1].split(",")[0])
    file = StatisticsFile(path)
    assert file.open() == Progress(last, last)
    file.append(ROWS)
    assert path.read_bytes().endswith(lines[-1].encode() + b"\n" + LINES)
