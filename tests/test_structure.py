"""The structure of the code: what DESIGN calls the house, counted."""

import ast
import functools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import kerasviz

SOURCE = Path(kerasviz.__file__).parent
TESTS = Path(__file__).parent
MAX_MODULES = {"plots": 18}
MAX_POSITIONAL = 5
MAX_POSITIONAL_FIELDS = 4
MAX_INTERNAL_SHARE = 0.25
"""Of the test files, those that import what no user calls."""
PUBLIC = {
    "kerasviz": {*kerasviz.__all__},
    "kerasviz.callbacks": {*kerasviz.callbacks.__all__},
    "kerasviz.fashion_mnist": {*kerasviz.fashion_mnist.__all__},
    "kerasviz.cli": {"main"},  # the command
}


@functools.cache
def trees() -> dict[str, ast.Module]:
    """Return the code of each module."""
    return {
        str(path.relative_to(SOURCE)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    }


def calls() -> Iterator[tuple[str, str, int]]:
    """Yield where each call in our code is, what it calls, and its number of positional values."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                count = sum(not isinstance(value, ast.Starred) for value in node.args)
                yield f"{path}:{node.lineno}", ast.unparse(node.func), count


def test_no_folder_has_too_many_modules() -> None:
    folders = Counter(str(Path(path).parent) for path in trees())
    assert not {f: n for f, n in folders.items() if n > MAX_MODULES.get(f, 12)}


def test_no_call_hands_over_many_values_by_position() -> None:
    assert not [call for call in calls() if call[2] > MAX_POSITIONAL]


def test_no_large_record_is_built_by_position() -> None:
    sizes = {
        node.name: sum(isinstance(part, ast.AnnAssign) for part in node.body)
        for tree in trees().values()
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
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if argument.annotation is not None
    ]
    assert not [p for p in parameters if p[2].split("[")[0] in ("TileOptions", "FigureOptions")]


def internal_names(tree: ast.Module) -> set[str]:
    """Return the internal modules and names of kerasviz that a test imports, or names in a path."""
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names if alias.name not in PUBLIC}
        elif isinstance(node, ast.ImportFrom) and node.module:
            public = PUBLIC.get(node.module, set())
            used |= {f"{node.module}.{alias.name}" for alias in node.names} - {
                f"{node.module}.{name}" for name in public
            }
        elif isinstance(node, ast.Attribute):
            module, _, name = ast.unparse(node).rpartition(".")
            folder = SOURCE.parent.joinpath(*module.split("."))
            is_module = (folder / name).is_dir() or (folder / f"{name}.py").is_file()
            is_internal = is_module and name not in PUBLIC.get(module, ())
            used |= {f"{module}.{name}"} if is_internal else set()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # A path that `monkeypatch` takes.
            used |= set(
                re.findall(r"^kerasviz\.(?:_|model|compute|logs|draw|plots)[\w.]+$", node.value)
            )
    return {name for name in used if re.match(r"kerasviz\b", name)}


def test_most_tests_go_through_public_calls() -> None:
    files = [*TESTS.rglob("test_*.py"), *TESTS.rglob("conftest.py")]
    internal = {
        str(path.relative_to(TESTS)): names
        for path in files
        if (names := internal_names(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert len(internal) <= MAX_INTERNAL_SHARE * len(files), sorted(internal)


def test_the_search_for_internal_names_finds_them() -> None:
    code = """
import kerasviz.draw
from kerasviz import plot_kernels, _files
from kerasviz.fashion_mnist import data, train
from kerasviz.cli import main
kerasviz.__file__, kerasviz.plots.kernels, kerasviz.callbacks.Snapshots, plot.kerasviz.draw
patch("kerasviz.model.state", "kerasviz.plot_kernels")
"""
    names = {name.removeprefix("kerasviz.") for name in internal_names(ast.parse(code))}
    assert names == {
        "draw",
        "_files",
        "fashion_mnist.data",
        "plots",
        "plots.kernels",
        "model.state",
    }
