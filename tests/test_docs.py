"""The documentation names what is there."""

from __future__ import annotations

import ast
import doctest
import functools
import operator
import os
import re
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import pytest
from PIL import Image

import kerasviz

FASHION = ("build_model", "load_data", "load_model", "load_samples", "train")
ROOT = Path(__file__).parent.parent


@functools.cache
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


@pytest.mark.slow
def test_the_code_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images, _ = kerasviz.fashion_mnist.load_samples()
    Image.fromarray((255 * images[9, ..., 0]).astype("uint8")).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 2  # the network that ships with kerasviz, and one of the reader's
    for block in blocks:
        exec(block, {})
    plt.close("all")
    assert "conv1_conv: Conv2D, kernel 7×7×3×64" in capsys.readouterr().out
    assert {path.name for path in tmp_path.glob("*.png")} == {"kernels.png", "maps.png"}


PAGES = sorted(
    page for folder in (".", "reference", "tasks") for page in (ROOT / "docs" / folder).glob("*.md")
)
MADE = {"report.html", "changelog.md", "contributing.md", "gallery/index.md"}
"""What the build adds to `docs`, beside the pages that mkdocs-gallery makes of the examples."""


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_code_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keras.utils.clear_session(free_memory=False)
    names: dict[str, object] = {}
    text = page.read_text("utf-8")
    for package in re.findall(r"\w+", "".join(re.findall(r"^needs: (.*)$", text, re.MULTILINE))):
        pytest.importorskip(package, reason="of the extra docs, whose build runs this page")
    for block in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        exec(block, names)
        plt.close("all")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*kerasviz.__all__, *map("fashion_mnist.{}".format, FASHION)])
def test_the_example_of_a_docstring_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where some write files
    value = operator.attrgetter(name)(kerasviz)
    keras.utils.clear_session(free_memory=False)
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for example in finder.find(value, name, globs={}):
        runner.run(example)
    plt.close("all")
    assert not runner.failures


def test_no_page_takes_the_first_tiles_for_the_strongest() -> None:
    examples = (ROOT / "examples").glob("*.py")
    for page in [ROOT / "README.md", *PAGES, *examples]:
        calls = re.findall(
            r"\b(?:plot|compare)_\w+\([^()]*(?:\([^()]*\)[^()]*)*\)", page.read_text("utf-8")
        )
        assert not [call for call in calls if "tiles=slice" in call and "sort=" in call], page


def test_links_lead_somewhere() -> None:
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    for page in [*pages, *PAGES]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            path = os.path.relpath(page.parent / target, ROOT / "docs")
            example = re.fullmatch(
                r"gallery/(?:images/mkd_glr_)?(plot_\w+?)(?:_\d+_2_0x\.png|\.md)", path
            )
            found = target.startswith("https://") or (page.parent / target).exists() or path in MADE
            found = found or (example and (ROOT / f"examples/{example[1]}.py").is_file())
            assert found, (page.name, target)


def test_the_reference_has_every_public_name() -> None:
    table = re.findall(
        r"\[kerasviz\.([\w.]+)\]", (ROOT / "docs/reference/index.md").read_text("utf-8")
    )
    page = (ROOT / "docs/reference/fashion_mnist.md").read_text("utf-8")
    named = re.findall(r"^::: kerasviz\.(fashion_mnist\.\w+)$", page, flags=re.MULTILINE)
    packages = ("callbacks", "fashion_mnist")
    public = {name for name in kerasviz.__all__ if name not in packages}
    public |= {f"fashion_mnist.{name}" for name in FASHION}
    public |= {f"callbacks.{n}" for n in kerasviz.callbacks.__all__ if n not in kerasviz.__all__}
    assert set(table) == public  # the build makes a page for each
    assert sorted(named) == sorted(f"fashion_mnist.{name}" for name in FASHION)


CALLS = {
    "tf-explain": (
        *("ExtractActivations", "GradCAM", "OcclusionSensitivity", "SmoothGrad"),
        *("VanillaGradients", "GradientsInputs", "IntegratedGradients"),
        *("ActivationsVisualizationCallback", "GradCAMCallback", "SmoothGradCallback"),
        *("OcclusionSensitivityCallback", "VanillaGradientsCallback", "GradientsInputsCallback"),
        "IntegratedGradientsCallback",
    ),
    "tf-keras-vis": (
        *("Gradcam", "GradcamPlusPlus", "Scorecam", "Layercam", "Saliency"),
        *("ActivationMaximization", "CategoricalScore", "BinaryScore", "InactiveScore"),
        *("ReplaceToLinear", "ExtractIntermediateLayer", "GuidedBackpropagation"),
        *("ExtractIntermediateLayerForGradcam", "Jitter", "Rotate2D", "Scale"),
        *("TotalVariation2D", "Norm", "Progress", "PrintLogger", "GifGenerator2D"),
        *("penultimate_layer", "seek_penultimate_conv_layer", "expand_cam", "normalize_cam"),
        *("activation_modifier", "gradient_modifier", "unconnected_gradients", "training"),
        *("normalize", "standardize", "find_layer", "smooth_samples", "smooth_noise", "keepdims"),
        *("max_N", "model_modifier", "input_modifiers", "regularizers"),
    ),
    "xplique": (
        *("Saliency", "GradientInput", "IntegratedGradients", "SmoothGrad", "SquareGrad"),
        *("VarGrad", "Occlusion", "Rise", "GradCAM", "GradCAMPP", "GuidedBackprop", "DeconvNet"),
        *("Lime", "KernelShap", "SobolAttributionMethod", "HsicAttributionMethod", "FEM"),
        *("Deletion", "Insertion", "MuFidelity", "ModelRandomizationMetric", "RandomLogitMetric"),
        *("AverageStability", "MeGe", "plot_attributions", "plot_maco", "maco", "Objective"),
    ),
    "captum": (
        *("Saliency", "InputXGradient", "IntegratedGradients", "NoiseTunnel", "Occlusion"),
        *("FeatureAblation", "FeaturePermutation", "DeepLift", "DeepLiftShap", "LRP"),
        *("GradientShap", "GuidedBackprop", "Deconvolution", "GuidedGradCam", "Lime"),
        *("KernelShap", "ShapleyValues", "ShapleyValueSampling", "LayerGradCam"),
        *("LayerActivation", "LayerConductance", "LayerGradientXActivation"),
        *("InternalInfluence", "NeuronGradient", "DataLoaderAttribution", "LayerAttribution"),
    ),
}
"""The public calls of other packages, read from their source."""


@pytest.mark.parametrize("package", CALLS)
def test_coming_from_names_every_call(package: str) -> None:
    text = (ROOT / "docs/coming-from.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"## From {package}\n(.*?)(?=\n## |\Z)", text, re.DOTALL)
    left = " ".join(line.split("|")[1] for line in section.splitlines() if line.startswith("|"))
    missing = [name for name in CALLS[package] if not re.search(rf"\b{name}\b", left)]
    assert not missing


def test_coming_from_names_what_there_is_in_kerasviz() -> None:
    text = (ROOT / "docs/coming-from.md").read_text(encoding="utf-8")
    calls = re.findall(r"\| [^|]* \| ([^|]*) \|", text)
    names = {name for call in calls for name in re.findall(r"`(\w+)\(", call)}
    assert "get_attributions" in names
    assert not {name for name in names if not hasattr(kerasviz, name)} - {"lambda"}
