"""The structure of the code: what DESIGN calls the house, counted."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import kerasviz

SOURCE = Path(kerasviz.__file__).parent
MAX_MODULES = {"plots": 18}
MAX_POSITIONAL = 5
MAX_POSITIONAL_FIELDS = 4


TREES = {
    str(path.relative_to(SOURCE)): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(SOURCE.rglob("*.py"))
}


def calls() -> Iterator[tuple[str, str, int]]:
    """Yield where each call in our code is, what it calls, and its number of positional values."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                count = sum(not isinstance(value, ast.Starred) for value in node.args)
                yield f"{path}:{node.lineno}", ast.unparse(node.func), count


def test_no_folder_has_too_many_modules() -> None:
    folders = Counter(str(Path(path).parent) for path in TREES)
    assert not {f: n for f, n in folders.items() if n > MAX_MODULES.get(f, 12)}


def test_no_call_hands_over_many_values_by_position() -> None:
    assert not [call for call in calls() if call[2] > MAX_POSITIONAL]


def test_no_large_record_is_built_by_position() -> None:
    sizes = {
        node.name: sum(isinstance(part, ast.AnnAssign) for part in node.body)
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and (
            any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
            or any(ast.unparse(base) == "NamedTuple" for base in node.bases)
        )
    }
    large = {name for name, size in sizes.items() if size > MAX_POSITIONAL_FIELDS}
    assert not [c for c in calls() if c[1] in large and c[2] > MAX_POSITIONAL_FIELDS]


def test_no_function_takes_a_dict_of_options() -> None:
    parameters = [
        (f"{path}:{node.lineno}", argument.arg, ast.unparse(argument.annotation))
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if argument.annotation is not None
    ]
    assert not [p for p in parameters if p[2].split("[")[0] in ("TileOptions", "FigureOptions")]
