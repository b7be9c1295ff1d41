"""The player of `animate_convolution` in a browser without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerasviz

pytestmark = pytest.mark.site
KERNEL = np.array([[1.0, -1.0], [2.0, 0.5]])
IMAGE = np.random.default_rng(4).normal(size=(4, 5)).astype("float32")


@pytest.fixture
def animation() -> Any:
    layer = keras.layers.Conv2D(1, 2, name="edges")
    model = keras.Sequential([keras.Input((4, 5, 1)), layer])
    model.set_weights([KERNEL.reshape(2, 2, 1, 1), np.ones(1)])
    return kerasviz.animate_convolution(model, "edges", IMAGE, interval=30)


@pytest.fixture
def open_player(browser: Any, animation: Any, tmp_path: Path):
    """Return a function that opens the player; nothing may go wrong or ask for a network."""
    troubles: list[str] = []

    def start(width: int = 1280, *, shown: Any = animation, **options: Any) -> Any:
        path = tmp_path / "player.html"
        head = "<!doctype html><meta charset=utf-8><meta name=viewport content=width=device-width>"
        path.write_text(head + shown._repr_html_(), encoding="utf-8")
        viewport = {"width": width, "height": 800}
        page = browser.new_context(offline=True, viewport=viewport, **options).new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelectorAll('.conv-grid span').length > 0")
        return page

    yield start
    assert not troubles


def texts(page: Any, part: str) -> list[str]:
    return page.locator(f".conv-{part} .conv-grid span").all_inner_texts()


def place(page: Any, part: str) -> list[str | None]:
    rect = page.locator(f".conv-{part} rect.conv-frame")
    return [rect.get_attribute(name) for name in ("x", "y", "width", "height")]


def test_the_player_shows_the_numbers_of_each_step(open_player: Any, animation: Any) -> None:
    page = open_player()
    for index in (0, 6, 11):
        page.locator(".anim-slider").fill(str(index))
        animation._draw_frame(index)
        plot = animation.plot
        for part, ax in zip(("window", "kernel", "products"), plot.axes[1:4], strict=True):
            assert texts(page, part) == [text.get_text() for text in ax.texts]
        row, column = divmod(index, 4)
        assert place(page, "input") == [str(column), str(row), "2", "2"]
        assert place(page, "output") == [str(column), str(row), "1", "1"]
        formula = page.locator(".conv-formula").inner_text()
        assert formula.startswith(f"row {row}, column {column}: ")
        assert formula.endswith(" ".join(plot.figure.texts[-1].get_text().split()))


def test_the_player_hides_what_is_not_there_yet(open_player: Any) -> None:
    page = open_player()
    cover = page.locator(".conv-cover")
    assert cover.get_attribute("d") == "M1 0h3v1h-3zM0 1h4v2h-4z"
    page.locator(".anim-slider").fill("11")
    assert cover.get_attribute("d") == ""


def test_the_player_is_moved_with_keys(open_player: Any) -> None:
    page = open_player()
    slider = page.locator(".anim-slider")
    page.locator(".animation").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert slider.input_value() == "2"
    assert slider.get_attribute("aria-valuetext") == "row 0, column 2"
    page.keyboard.press("ArrowLeft")
    assert slider.input_value() == "1"
    page.keyboard.press("End")
    assert slider.input_value() == "11"
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('.anim-slider').value > 1")
    page.keyboard.press(" ")
    stopped = slider.input_value()
    page.wait_for_timeout(120)
    assert slider.input_value() == stopped


def test_the_player_speaks_of_the_steps_of_a_sequence(open_player: Any) -> None:
    model = keras.Sequential([keras.Input((40, 1)), keras.layers.Conv1D(1, 3, name="c")])
    page = open_player(shown=kerasviz.animate_convolution(model, "c", IMAGE.repeat(2)[:, None]))
    page.locator(".anim-slider").fill("7")
    assert page.locator(".anim-slider").get_attribute("aria-valuetext") == "step 7"
    assert page.locator(".conv-formula").inner_text().startswith("step 7: ")
    assert place(page, "input") == ["7", "0", "3", "1"]
    assert page.locator(".conv-input svg").get_attribute("height") == "40"


def test_the_player_plays_once_where_motion_is_to_be_reduced(open_player: Any) -> None:
    page = open_player(reduced_motion="reduce")
    assert page.locator("input[value=once]").is_checked()
    assert page.locator(".anim-slider").input_value() == "0"
    page = open_player(reduced_motion="no-preference")
    assert page.locator("input[value=loop]").is_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_player_fits_a_phone_and_can_be_read(open_player: Any, scheme: str) -> None:
    page = open_player(360, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    colors = page.evaluate(
        "[getComputedStyle(document.querySelector('.animation'))]"
        ".map((style) => [style.color, style.backgroundColor])[0]"
    )
    assert (
        colors
        == {
            "light": ["rgb(26, 26, 26)", "rgb(255, 255, 255)"],
            "dark": ["rgb(238, 238, 238)", "rgb(22, 24, 29)"],
        }[scheme]
    )
