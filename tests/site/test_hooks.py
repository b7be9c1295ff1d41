"""What the hooks of the site decide before anything is drawn."""

from __future__ import annotations

import io
import runpy
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from PIL import Image

import kerasviz

pytestmark = [
    pytest.mark.site,
    pytest.mark.filterwarnings("ignore:warning_filter:DeprecationWarning"),  # by mkdocs-gallery
]
THEME = Path(__file__).parents[2] / "docs/theme"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a hook and returns its names."""
    monkeypatch.syspath_prepend(THEME)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return lambda name: runpy.run_path(str(THEME / f"{name}.py"))


CODE = """
import matplotlib.pyplot as plt
values = [count]
count += 1
history = model.fit(1, callbacks=[lambda: kerasviz.plot_kernels(model)])
figure, ax = plt.subplots()
ax.plot(values)
figure.suptitle(str(count))
print("again")
"""


def test_only_what_draws_runs_again_in_the_dark(
    hook: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"values": [7], "count": 3, "plt": plt}
    with hook("dark")["drawn_in_the_dark"](CODE, names) as figures:
        (figure,) = figures
        assert figure.axes[0].lines[0].get_ydata() == [7]
        assert figure.get_suptitle() == "3"
        assert max(figure.get_facecolor()[:3]) < 0.2
        assert plt.rcParams["text.color"] == "white"
    assert names == {"values": [7], "count": 3, "plt": plt}
    assert plt.rcParams["text.color"] == "black"
    assert not plt.get_fignums()
    assert capsys.readouterr().out == ""


def test_the_blocks_of_a_page_are_one_program_drawn_on_both_grounds(hook: Any) -> None:
    blocks = (
        "x = [1, 3]\nprint(x)",
        "import matplotlib.pyplot as plt\nplt.plot(x)\nplt.title('three')",
    )
    first, (printed, [(light, dark, title, size)]) = hook("pages")["run_blocks"](blocks)
    assert first == ("[1, 3]\n", [])
    assert (printed, title) == ("", "three")
    for picture, ground in ((light, "#ffffff"), (dark, hook("dark")["GROUND"])):
        with Image.open(io.BytesIO(picture)) as image:
            assert image.size == tuple(2 * side for side in size)
            corner = image.convert("RGB").getpixel((0, 0))
        assert "#" + bytes(corner).hex() == ground


def test_the_output_of_a_progress_bar_is_what_a_terminal_shows(hook: Any) -> None:
    code = "print('\\x1b[1m1/2\\x1b[0m', end='\\b\\b\\b\\r')\nprint('2/2')\nprint('done')"
    ((printed, _),) = hook("pages")["run_blocks"]((code,))
    assert printed == "2/2\ndone\n"


def test_the_reference_has_a_page_for_each_name(hook: Any) -> None:
    groups = hook("reference")["groups"]()
    names = [name for group in groups.values() for name in group]
    public = set(kerasviz.__all__) - {"callbacks", "fashion_mnist"}
    public |= {f"callbacks.{x}" for x in kerasviz.callbacks.__all__ if x not in public}
    assert sorted(names) == sorted(public)


def test_each_example_has_a_card(hook: Any) -> None:
    examples = {path.stem for path in (THEME.parents[1] / "examples").glob("plot_*.py")}
    assert set(hook("gallery")["CARDS"]) == examples


def test_each_name_of_the_reference_has_a_picture(hook: Any) -> None:
    reference = hook("reference")
    examples = {path.stem for path in (THEME.parents[1] / "examples").glob("plot_*.py")}
    assert set(reference["SHOWN_BY"]) <= examples
    for names in reference["groups"]().values():
        for name in names:
            assert reference["_page"](name).count('<div class="drawn"') == 1, name
