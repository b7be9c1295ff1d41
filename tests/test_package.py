"""The package as others install it."""

from __future__ import annotations

import ast
import functools
import inspect
import pydoc
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import kerasviz
from kerasviz import TileOptions

SOURCES = sorted(Path(kerasviz.__file__).parent.rglob("*.py"))


@functools.cache
def parse(source: Path) -> ast.Module:
    return ast.parse(source.read_text(encoding="utf-8"))


def test_the_import_loads_nothing_heavy() -> None:
    script = (
        "import sys, kerasviz; "
        "print({'keras', 'matplotlib', 'numpy', 'tensorflow', 'jax', 'torch'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"
    assert not result.stderr


def test_every_public_name_is_there() -> None:
    assert kerasviz.__all__ == sorted(kerasviz.__all__)
    for name in kerasviz.__all__:
        assert getattr(kerasviz, name).__doc__, name
    assert set(kerasviz.__all__) <= set(dir(kerasviz))
    with pytest.raises(AttributeError, match="No kerasviz attribute plot_kernel"):
        _ = kerasviz.plot_kernel


def test_the_version_is_that_of_the_distribution() -> None:
    assert kerasviz.__version__ == metadata.version("kerasviz")


def test_public_docstrings_have_their_parts() -> None:
    for name in kerasviz.__all__:
        value = getattr(kerasviz, name)
        if callable(value) and not isinstance(value, type):
            for part in ("Args:", "Returns:", "Raises:", "Example:"):
                assert part in value.__doc__, (name, part)


def test_only_public_keras_is_imported() -> None:
    for source in SOURCES:
        for name in imported_modules(source):
            assert not name.startswith("keras.src"), source
            if source.parts[-2:] == ("writers", "tensorboard.py") and name == "tensorflow":
                continue  # it writes event files
            is_backend = name.split(".")[0] in ("tensorflow", "jax", "torch")
            assert not is_backend or source.parts[-2:] == ("model", "backend.py"), source


def imported_modules(source: Path) -> list[str]:
    nodes = list(ast.walk(parse(source)))
    names = [alias.name for x in nodes if isinstance(x, ast.Import) for alias in x.names]
    return names + [x.module or "" for x in nodes if isinstance(x, ast.ImportFrom)]


def test_a_module_opens_with_what_it_is_for() -> None:
    for source in SOURCES:
        assert ast.get_docstring(parse(source)), source


FIGURE = {"title", "figsize", "ax", "figure"}
TILES = {*TileOptions.__annotations__}
SHARED = {"plot_kernels": TILES, "plot_tiles": TILES, "plot_feature_maps": TILES}
SHARED |= {"compare_kernels": TILES, "plot_history": FIGURE}
SHARED |= {"plot_architecture": FIGURE, "plot_kernel_histograms": FIGURE}
SHARED |= {"plot_convolution": FIGURE, "animate_convolution": FIGURE}
SHARED |= {"plot_training_statistics": FIGURE, "KernelSnapshots": TILES}
SHARED |= {"FeatureMapSnapshots": TILES, "plot_snapshots": TILES}
SHARED |= {"animate_snapshots": TILES}


@pytest.mark.parametrize("name", SHARED)
def test_the_signature_shows_every_keyword_with_its_default(name: str) -> None:
    function = getattr(kerasviz, name)
    parameters = inspect.signature(function).parameters
    refused = {"ax", "figure"} if name.endswith("Snapshots") or "animate_snap" in name else set()
    assert SHARED[name] - refused <= set(parameters)
    assert not any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    assert parameters["title"].default is True
    assert re.search(r"\btitle: .*= ?True", pydoc.render_doc(function, renderer=pydoc.plaintext))


def test_every_function_that_takes_shared_keywords_shows_them() -> None:
    for name in kerasviz.__all__:
        value = getattr(kerasviz, name)
        if callable(value) and value is not TileOptions:
            kinds = {p.kind for p in inspect.signature(value).parameters.values()}
            assert inspect.Parameter.VAR_KEYWORD not in kinds, name


def _private_names(tree: ast.Module) -> set[str]:
    """Return the private names of other packages that a module reads, as attributes or strings."""
    names, modules = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            names |= set() if is_own else {node.attr}
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in ("getattr", "hasattr", "setattr", "get"):
                is_own = ast.unparse(node.args[0]) == "self"
                strings = [x.value for x in node.args if isinstance(x, ast.Constant)]
                names |= set() if is_own else {x for x in strings if isinstance(x, str)}
        elif isinstance(node, ast.Constant) and re.match(_PRIVATE_MODULES, str(node.value)):
            modules.add(node.value)
    of_named_tuples = {"_asdict", "_fields", "_make", "_replace"}
    return modules | {x for x in names - of_named_tuples if re.match("_[^_]", x)}


_PRIVATE_MODULES = r"(keras\.src|tensorflow\.python)\.[\w.]+$"


def _own_names(tree: ast.Module) -> set[str]:
    """Return the names that a module defines, and the attributes that its classes set."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return names


def test_every_private_name_of_another_package_is_listed_with_its_reason() -> None:
    path = Path(kerasviz.__file__).parent / "model" / "__init__.py"
    listing, others = parse(path), [parse(source) for source in SOURCES if source != path]
    (reasons,) = (
        ast.literal_eval(node.value)
        for node in listing.body
        if isinstance(node, ast.AnnAssign | ast.Assign) and "PRIVATE_NAMES" in ast.unparse(node)
    )
    foreign = set().union(*(_private_names(tree) - _own_names(tree) for tree in others))
    assert foreign == set(reasons)
    assert list(reasons) == sorted(reasons)
    assert all(reasons.values())


def test_the_search_for_private_names_finds_them() -> None:
    code = "x._a; self._b; getattr(y, '_c', 0); vars(z).get('_d'); f('keras.src.ops', '.npy')"
    assert _private_names(ast.parse(code)) == {"_a", "_c", "_d", "keras.src.ops"}
