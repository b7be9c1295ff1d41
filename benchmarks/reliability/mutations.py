"""Change the code in one place at a time, and count the changes that the tests do not notice.

A sample of places in `compute/`, `model/` and `draw/` is drawn with a seed: a comparison, an
operator, a number or a condition. Each change is made in a copy of the source; then the tests of
the folder that mirrors the module run, and those of the folders above it. A change that no test
notices survives, and is printed to be read. A few survivors change nothing that can be seen.

mutmut and cosmic-ray run one command for every change, which would be the whole suite; here each
module has its own tests.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FLOORS = ("compute", "model", "draw")
COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
TIMEOUT = 900
"""Seconds: a change that makes the tests run on is noticed."""


def change(node: ast.AST) -> bool:
    """Change a node in place; return whether there is something to change."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        node.ops[0] = COMPARISONS[type(node.ops[0])]()
    elif isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in OPERATORS:
        node.op = OPERATORS[type(node.op)]()
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        node.value += 1
    elif isinstance(node, ast.IfExp):
        node.body, node.orelse = node.orelse, node.body
    elif isinstance(node, ast.If):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    else:
        return False
    return True


def places(path: Path) -> list[int]:
    """Return the positions, in the order of `ast.walk`, of what can be changed inside functions."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for statement in node.body
        for part in ast.walk(statement)
    }
    return [i for i, node in enumerate(ast.walk(tree)) if id(node) in inside and change(node)]


def tests_of(module: Path) -> Iterator[str]:
    """Yield the tests that mirror a module: of its folder, and of its name in the floors above."""
    folder = Path("tests") / module.parent
    while not (ROOT / folder).is_dir():
        folder = folder.parent
    yield str(folder)
    yield from (
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests/plots").glob(f"test_*{module.stem.rstrip('s')}*.py"))
    )


def survives(module: Path, position: int, floor: Path) -> tuple[bool, str]:
    """Change one place of a module in a copy of the source; return whether no test notices."""
    path = floor / "kerasviz" / module
    before = path.read_text("utf-8")
    tree = ast.parse(before)
    node = [*ast.walk(tree)][position]
    old = ast.unparse(node)
    change(node)
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)), "utf-8")
    line = f"{module}:{getattr(node, 'lineno', 0)}: {old.splitlines()[0]:.90}"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "no:randomly", *tests_of(module)]
    environment = {**os.environ, "PYTHONPATH": str(floor), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return False, line
    finally:
        path.write_text(before, "utf-8")
    return run.returncode == 0, line


def main() -> int:
    """Print the share of changes that the tests noticed, and those that they did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="count the places, change none")
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    source = ROOT / "src/kerasviz"
    modules = [path for floor in FLOORS for path in sorted((source / floor).rglob("*.py"))]
    every = [(path.relative_to(source), place) for path in modules for place in places(path)]
    sample = random.Random(options.seed).sample(every, 0 if options.short else options.sample)
    survivors, counts = [], {floor: [0, 0] for floor in FLOORS}
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(source, Path(name) / "kerasviz")
        for module, place in sample:
            survived, line = survives(module, place, Path(name))
            counts[module.parts[0]][0] += 1
            counts[module.parts[0]][1] += not survived
            survivors += [line] if survived else []
            print("survived" if survived else "noticed", line, flush=True)
    print(f"\n{len(every)} places in {len(modules)} modules, seed {options.seed}")
    print("| in | changes | noticed |\n|---|---|---|")
    for floor, (total, noticed) in counts.items():
        print(f"| {floor} | {total} | {noticed} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
