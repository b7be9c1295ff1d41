"""Texts use the words of the project: a list of expressions that are not English, or not ours."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUFFIXES = {".css", ".html", ".js", ".md", ".py", ".pyi", ".toml", ".yml"}
THING = (
    "(animation|bar|batch|box|byte|call|channel|class|colour|column|dot|epoch|figure|file|filter|"
    "image|inch|layer|line|map|metric|model|page|panel|picture|pixel|place|png|position|record|row|"
    "sample|second|statistic|step|tile|value|weight)"
)
SEVERAL = "(bytes|columns|dots|files|images|pictures|times|values)"
LAYER = r"(an?|the) (\w+ )?(activation|augmentation|convolution|layer|model|network|relu)"
EXPRESSIONS = {
    "one row per image": rf"\b(?<!the )(an?|one) {THING}s? an? {THING}\b(?! (covers|has|is))",
    "dots per inch": rf"\b{SEVERAL} an? {THING}\b(?! (has|holds|in|is|may|of|takes))",
    "again": r"\banew\b",
    "the name of the quantity": r"\b(so|as) many as\b|\bso many\b",
    "after a ReLU": rf"\bbehind {LAYER}\b",
    "before a layer": rf"\bin front of {LAYER}\b",
    "can only be used together with": r"\b(has|have|had) (no |a )?meaning\b",
    "is not a Keras model": r"\bis no (?-i:[A-Z`])|`layer` no address",
    "is not a layer": r"\b(is|are) no (address|graph|idx|keyword|layer|model|number|value)s?\b",
    "is in": r"\bstands? (above|at|before|behind|below|beneath|beside|in|on|once)\b",
    "is": r"\blies\b|\blie (above|beyond|between|in|on|outside)\b",
    "responds": r"\b(filter|kernel|map|network|unit|they)s? (does not |do not )?answer(s|ed)?\b",
    "responds to": r"\banswer(s|ed)? to\b",
    "a docstring that opens with a verb": r'^\s*"""(What|By which|Up to (so|which)|So many)\b',
    "barely compresses": r"\bis hardly to be\b",
}
"""What to write, and the expression that it replaces."""


def texts() -> list[Path]:
    """Return the files whose words are checked."""
    folders = [ROOT / name for name in ("src", "docs", "examples")]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    found = [path for path in found if (ROOT / "docs/gallery") not in path.parents]
    return sorted(path for path in [*found, *ROOT.glob("*.md")] if path.suffix in SUFFIXES)


@pytest.mark.parametrize("better", EXPRESSIONS)
def test_words(better: str) -> None:
    expression = re.compile(EXPRESSIONS[better], re.IGNORECASE | re.MULTILINE)
    hits = []
    for path in texts():
        for index, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if expression.search(line):
                hits.append(f"{path.relative_to(ROOT)}:{index}: {line.strip()}")
    assert not hits, f"Write {better!r} instead:\n" + "\n".join(hits)


PARTICIPLES = {
    *("asked", "drawn", "found", "given", "kept", "known"),
    *("read", "said", "shown", "taken", "told", "wanted"),
}
"""Words that say nothing of what they name; the noun says it: `options`, `matches`, `cache`."""


def bound_names(tree: ast.AST) -> list[tuple[str, int]]:
    """Return each name that code gives to a value, and the line: not those of functions."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.append((node.id if isinstance(node, ast.Name) else node.attr, node.lineno))
        elif isinstance(node, ast.arg):
            names.append((node.arg, node.lineno))
    return [(name.strip("_"), line) for name, line in names]


def test_no_value_is_named_by_a_participle() -> None:
    hits = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        for name, line in bound_names(ast.parse(path.read_text(encoding="utf-8")))
        if name in PARTICIPLES
    ]
    assert not hits, "\n".join(hits)


def test_the_check_of_participles_sees_one() -> None:
    code = "def f(wanted): found, x = 1, 2; self._kept = 3; given: int = 4; read()"
    names = {name for name, _ in bound_names(ast.parse(code))}
    assert names & PARTICIPLES == {"wanted", "found", "kept", "given"}
