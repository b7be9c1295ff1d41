"""The public address is one setting, from which each file that names it is written."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ADDRESS = "https://github.com/example/kerasviz"
SITE = "https://example.github.io/kerasviz/"
SETTINGS = runpy.run_path(str(ROOT / "docs/theme/address.py"))
FILES = sorted(SETTINGS["FILES"])


def written(name: str, text: str, address: str) -> str:
    return SETTINGS["FILES"][name](text, address)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_as_the_setting_writes_it(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert written(name, text, SETTINGS["repository"]()) == text


@pytest.mark.parametrize("name", FILES)
def test_the_setting_can_be_written_twice_changed_and_taken_back(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    address = written(name, text, ADDRESS)
    assert address != text
    assert written(name, address, ADDRESS) == address
    other = written(name, address, "https://github.com/else/where")
    assert "example/kerasviz" not in other
    assert "example.github.io" not in other
    assert written(name, other, "") == written(name, text, "")


def test_the_address_is_in_every_file() -> None:
    texts = {
        name: written(name, (ROOT / name).read_text(encoding="utf-8"), ADDRESS) for name in FILES
    }
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    assert project["urls"]["Source"] == ADDRESS
    assert project["urls"]["Documentation"] == SITE
    assert project["urls"]["Changelog"] == f"{SITE}changelog/"
    assert f"repository-code: {ADDRESS}\n" in texts["CITATION.cff"]
    assert f"url: {SITE}\n" in texts["CITATION.cff"]
    readme = texts["README.md"]
    assert f"({ADDRESS}/actions/workflows/ci.yml/badge.svg)" in readme
    assert f"({ADDRESS}/blob/main/docs/page.md)" in readme
    assert (
        "https://raw.githubusercontent.com/example/kerasviz/main/docs/images/report.png" in readme
    )
    assert "](docs/" not in readme


@pytest.mark.parametrize("name", FILES)
def test_no_address_is_named_while_there_is_none(name: str) -> None:
    text = written(name, (ROOT / name).read_text(encoding="utf-8"), "")
    for host in ("github.com", "github.io", "shields.io", "pypi.org"):
        assert host not in text.replace('"https://github.com/owner/kerasviz"', ""), host


def test_install_lines_work_from_a_checkout_while_there_is_no_address() -> None:
    if SETTINGS["repository"]():
        pytest.skip("there is one")
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in [path for path in pages if "gallery" not in path.parts]:
        text = page.read_text(encoding="utf-8")
        assert "pip install kerasviz" not in text, page
        assert 'pip install "kerasviz' not in text, page
