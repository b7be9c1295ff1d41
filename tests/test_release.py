"""What is written in more than one place agrees: versions, Pythons, the tools before a commit."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import kerasviz

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def find(pattern: str, path: str) -> list[str]:
    return re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_version_changelog_and_citation_agree() -> None:
    releases = find(r"^## \[(.+)\] - (unreleased|\d{4}-\d\d-\d\d)$", "CHANGELOG.md")
    assert len(releases) == len(find("^## ", "CHANGELOG.md"))
    assert all(date != "unreleased" for _, date in releases[1:])
    (version, date), *_ = releases
    assert version == kerasviz.__version__
    assert find(r"^version: (.+)$", "CITATION.cff") == [version]
    assert find(r"^date-released: (.+)$", "CITATION.cff") == [date] * (date != "unreleased")


def test_the_changelog_names_every_public_name_and_no_other_call() -> None:
    names = {
        word for code in find(r"`([^`]+)`", "CHANGELOG.md") for word in re.findall(r"\w+", code)
    }
    assert set(kerasviz.__all__) <= names
    calls = {name for name in names if re.match("(plot|get|iter|save|find|compare|animate)_", name)}
    assert calls <= set(kerasviz.__all__)


def test_the_classifiers_name_the_pythons_that_are_tested() -> None:
    prefix = "Programming Language :: Python :: "
    named = [c.removeprefix(prefix) for c in PROJECT["classifiers"] if c.startswith(f"{prefix}3.")]
    (tested,) = find(r"^ +python: \[(.+)\]$", ".github/workflows/ci.yml")
    assert re.findall(r'"([\d.]+)"', tested) == named
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_what_runs_before_a_commit_is_what_the_checks_run() -> None:
    hooks = find(r"^ +entry: (.+)$", ".pre-commit-config.yaml")
    commands = find(r"^(\.venv/bin/.+)$", ".ci/run")
    assert len(hooks) == 4
    pinned = {re.split(r"[\[=]", pin)[0] for pin in PROJECT["optional-dependencies"]["lint"]}
    packages = {"lint-imports": "import-linter"}
    for hook in hooks:
        assert hook in commands or f"{hook} --check" in commands
        tool = Path(hook.split()[0]).name
        assert packages.get(tool, tool) in pinned


def test_the_conda_recipe_needs_what_the_package_needs() -> None:
    assert find(r"^  version: (.+)$", "recipe/recipe.yaml")[0] == kerasviz.__version__
    (run,) = find(r"^  run:\n((?: {4}.+\n)+)", "recipe/recipe.yaml")
    needs = {re.sub(r"[ >=].*", "", n): n for n in re.findall(r"- (.+)", run)}
    assert needs.pop("python") == f"python {PROJECT['requires-python']}"
    names = {"matplotlib": "matplotlib-base"}  # conda's has Qt as well
    for requirement in PROJECT["dependencies"]:
        name, version = requirement.split(">=")
        assert needs.pop(names.get(name, name)) == f"{names.get(name, name)} >={version}"
    assert not needs


def test_the_list_of_licences_knows_every_kind_of_file_that_is_shipped() -> None:
    known = set(find(r'^    "(\.\w+)": "MIT', ".ci/licences"))
    package = ROOT / "src/kerasviz"
    files = [path for path in package.rglob("*") if path.is_file()]
    assert {path.suffix for path in files if path.suffix != ".pyc"} | {".typed"} == known


def test_tools_are_pinned() -> None:
    for extra in ("test", "test-trackers", "docs", "lint", "release"):
        for pin in PROJECT["optional-dependencies"][extra]:
            assert re.fullmatch(r"[\w-]+(\[\w+\])?==[\w.]+", pin), pin
