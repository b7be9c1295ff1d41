"""The places where the code can be changed, and one change for each of them."""

from __future__ import annotations

import ast
import copy
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
ELSEWHERE = re.compile(r"_on_(jax|torch)$|^_On(Jax|Torch)\.")
"""Functions that only JAX or PyTorch runs; the tests run on TensorFlow here, as for coverage."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of one place.

    Args:
        module: The file, from the folder of the package.
        function: The function around the place, with its class.
        change: What is there, and what takes its place.
        position: The index of the node in the order of `ast.walk`.
        lines: The first and the last line of what is evaluated there.
        around: The same of the function.
    """

    module: str
    function: str
    change: str
    position: int
    lines: tuple[int, int]
    around: tuple[int, int]

    @property
    def name(self) -> str:
        """What stays the same when other code changes."""
        return f"{self.module} {self.function}: {self.change}"

    def code(self, package: Path) -> ast.Module:
        """Return the changed module."""
        tree = ast.parse((package / self.module).read_text("utf-8"))
        change([*ast.walk(tree)][self.position])
        return ast.fix_missing_locations(tree)


def change(node: ast.AST) -> bool:
    """Change a node, and none of the nodes in it; return whether there is something to change."""
    return _change_operator(node) or _change_value(node) or _change_flow(node)


def _change_operator(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare):  # of a chain, its first
        node.ops = [COMPARISONS[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in OPERATORS:
        node.op = OPERATORS[type(node.op)]()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node.op = ast.UAdd()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    else:
        return False
    return True


def _change_value(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        node.value = not node.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        node.value += 1
    elif isinstance(node, ast.IfExp):
        node.body, node.orelse = node.orelse, node.body
    elif isinstance(node, ast.comprehension) and node.ifs:
        node.ifs = [ast.UnaryOp(ast.Not(), node.ifs[0]), *node.ifs[1:]]
    else:
        return False
    return True


def _change_flow(node: ast.AST) -> bool:
    if isinstance(node, (ast.If, ast.While)):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.For):
        node.iter = ast.Tuple([], ast.Load())
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        node.value = ast.Constant(None)  # the call is left out
    elif isinstance(node, (ast.Break, ast.Continue)):
        node.__class__ = ast.Break if isinstance(node, ast.Continue) else ast.Continue
    else:
        return False
    return True


def _one_line(node: ast.AST) -> str:
    """Return the code of a node; of a statement with a body, its first line."""
    if isinstance(node, ast.comprehension):
        return f"for {ast.unparse(node.target)} in … if {ast.unparse(node.ifs[0])}"
    return ast.unparse(node).splitlines()[0]


def _evaluated(node: ast.AST) -> ast.AST:
    """Return the part of a node that is run where it is evaluated: without a statement's body."""
    if isinstance(node, (ast.If, ast.While)):
        return node.test
    if isinstance(node, ast.For):
        return node.iter
    return node.ifs[0] if isinstance(node, ast.comprehension) else node


def _functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the functions of a module and of its classes, with their names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")


def _places(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of a function that can be changed; annotations are not run."""
    nodes = [node for statement in function.body for node in ast.walk(statement)]
    annotations = {
        id(part)
        for node in nodes
        for name in ("annotation", "returns")
        for part in ast.walk(getattr(node, name, None) or ast.Pass())
    }
    for node in nodes:
        if id(node) not in annotations and change(copy.copy(node)):
            yield node


def mutants_of(module: str, package: Path) -> Iterator[Mutant]:
    """Yield a mutant for each place inside the functions of a module."""
    tree = ast.parse((package / module).read_text("utf-8"))
    positions = {id(node): i for i, node in enumerate(ast.walk(tree))}
    for name, function in _functions(tree):
        texts: Counter[str] = Counter()
        for node in () if ELSEWHERE.search(name) else _places(function):
            changed = copy.copy(node)
            change(changed)
            text = f"{_one_line(node)} → {_one_line(changed)}"
            texts[text] += 1
            evaluated = _evaluated(node)
            yield Mutant(
                module=module,
                function=name,
                change=text if texts[text] == 1 else f"{text} ({texts[text]})",
                position=positions[id(node)],
                lines=(evaluated.lineno, evaluated.end_lineno),
                around=(function.lineno, function.end_lineno),
            )


def sample(mutants: list[Mutant], size: int, seed: int) -> list[Mutant]:
    """Return mutants drawn at random, by their names: other code may come and go meanwhile."""

    def draw(mutant: Mutant) -> str:
        return hashlib.sha256(f"{seed} {mutant.name}".encode()).hexdigest()

    return sorted(mutants, key=draw)[:size]
