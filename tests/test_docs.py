"""The documentation names what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def model_kinds() -> set[str]:
    tree = ast.parse((ROOT / "tests/model/conftest.py").read_text(encoding="utf-8"))
    (makers,) = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "MAKERS"
    )
    return {name.id for name in makers.elts}


def test_the_page_of_what_is_supported_is_made_of_tests() -> None:
    text = (ROOT / "docs/supported.md").read_text(encoding="utf-8")
    tests = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(tests) > 20
    for path, name in tests:
        assert (ROOT / path).is_file(), path
        assert not name or name in functions(ROOT / path), f"{path}::{name}"
    named = set(re.findall(r"^\|.*\| ((?:`\w+`(?:, )?)+) \|$", text, flags=re.MULTILINE))
    kinds = {kind for cell in named for kind in re.findall(r"`(\w+)`", cell)}
    assert kinds == model_kinds()


def test_links_in_the_readme_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("https://") or (ROOT / target).exists(), (name, target)
