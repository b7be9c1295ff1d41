"""How `plot_architecture` lays models out: as a U, to the right, in any figure, in any font."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

import kerasviz
from legibility import Case, faults, is_legible_or_refused, sample_cases
from marks import slow_after
from written_words import texts_of


@pytest.fixture
def plot_architecture(closing: Callable[[Any], Any]) -> Callable[..., kerasviz.Plot]:
    return closing(kerasviz.plot_architecture)


def places(plot: kerasviz.Plot) -> dict[str, np.ndarray]:
    """Return where each word is; y grows downwards."""
    return {text.get_text(): np.array(text.get_position()) for text in plot.axes[0].texts}


def lines(plot: kerasviz.Plot) -> list[tuple[np.ndarray, float]]:
    """Return the points and the width of each line between boxes."""
    found = []
    for artist in plot.axes[0].collections:
        if isinstance(artist, PathCollection) and len(artist.get_facecolor()) == 0:
            found += [(path.vertices, artist.get_linewidth()[0]) for path in artist.get_paths()]
    return found


def convolution(x: Any, filters: int, name: str, **options: Any) -> Any:
    options = {"padding": "same", **options}
    return layers.Conv2D(filters, 3, name=name, **options)(x)


def unet(size: int | None = 32, depth: int = 3) -> keras.Model:
    inputs = x = keras.Input((size, size, 1), name="image")
    skips = []
    for level in range(depth):
        x = convolution(x, 4 * 2**level, f"down{level}")
        skips.append(x)
        x = layers.MaxPooling2D(name=f"pool{level}")(x)
    x = convolution(x, 4 * 2**depth, "bottom")
    for level in reversed(range(depth)):
        x = layers.UpSampling2D(name=f"larger{level}")(x)
        x = layers.Concatenate(name=f"join{level}")([skips[level], x])
        x = convolution(x, 4 * 2**level, f"up{level}")
    return keras.Model(inputs, x, name="unet")


def check_u(plot: kerasviz.Plot, depth: int) -> None:
    at = places(plot)
    down = np.array([at[f"down{level}"] for level in range(depth)])
    up = np.array([at[f"up{level}"] for level in range(depth)])
    np.testing.assert_allclose(down[:, 0], at["bottom"][0])
    np.testing.assert_allclose(up[:, 0], up[0, 0])
    assert up[0, 0] > down[0, 0] + 100, "the decoder is at the right"
    assert (np.diff(down[:, 1]) > 0).all()
    assert at["bottom"][1] > max(*down[:, 1], *up[:, 1])
    level = [points for points, _ in lines(plot) if np.ptp(points[:, 1]) < 1e-6]
    heights = sorted(float(points[0, 1]) for points in level)
    assert len(level) == depth, "each skip is one straight line"
    for index, height in enumerate(heights):
        for name in (f"down{index}", f"join{index}"):
            assert abs(at[name][1] - height) < 20, "it leads from its level to the same"


@pytest.mark.parametrize("size", [32, None])
@pytest.mark.parametrize("direction", ["down", "right"])
def test_plot_architecture_draws_an_encoder_and_a_decoder_as_a_u(
    plot_architecture: Any, size: int | None, direction: str
) -> None:
    check_u(plot_architecture(unet(size), direction=direction), 3)


def test_plot_architecture_draws_a_u_of_residual_blocks(plot_architecture: Any) -> None:
    inputs = x = keras.Input((16, 16, 4), name="image")
    skips = []
    for level in range(2):
        y = convolution(x, 4, f"a{level}")
        x = layers.Add(name=f"down{level}")([x, convolution(y, 4, f"b{level}")])
        skips.append(x)
        x = layers.AveragePooling2D(2, name=f"pool{level}")(x)
    x = convolution(x, 4, "bottom")
    for level in (1, 0):
        x = layers.Conv2DTranspose(4, 2, 2, name=f"larger{level}")(x)
        x = layers.Add(name=f"join{level}")([skips[level], x])
        y = convolution(convolution(x, 4, f"c{level}"), 4, f"d{level}")
        x = layers.Add(name=f"up{level}")([x, y])
    check_u(plot_architecture(keras.Model(inputs, x), fold=False), 2)


def test_plot_architecture_draws_no_u_of_a_network_that_only_looks_back(
    plot_architecture: Any,
) -> None:
    """An excitation returns to the size of its input, but from a single value."""
    inputs = x = keras.Input((16, 16, 4), name="image")
    for index in range(2):
        y = layers.GlobalAveragePooling2D(keepdims=True, name=f"mean{index}")(x)
        y = layers.Conv2D(4, 1, activation="sigmoid", name=f"gate{index}")(y)
        x = convolution(layers.Multiply(name=f"scale{index}")([x, y]), 4 + index, f"conv{index}")
    plot = plot_architecture(keras.Model(inputs, x))
    at = places(plot)
    assert at["scale0"][1] > at["gate0"][1] > at["mean0"][1]


def chain(count: int = 4) -> keras.Model:
    inputs = x = keras.Input((8, 8, 1), name="image")
    for index in range(count):
        x = convolution(x, index + 1, f"conv{index}")
    return keras.Model(inputs, x, name="chain")


def test_plot_architecture_leads_down_or_to_the_right(plot_architecture: Any) -> None:
    for direction, axis in (("down", 1), ("right", 0)):
        at = places(plot_architecture(chain(), direction=direction))
        steps = np.diff([at[f"conv{n}"] for n in range(4)], axis=0)
        assert (steps[:, axis] > 20).all()
        np.testing.assert_allclose(steps[:, 1 - axis], 0, atol=1e-6)


def test_plot_architecture_to_the_right_keeps_everything_apart(plot_architecture: Any) -> None:
    inner = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3, name="c")], name="inner")
    inputs = keras.Input((8, 8, 1), name="image")
    y = convolution(convolution(inner(inputs), 2, "a"), 2, "b")
    x = layers.Add(name="sum")([inner(inputs), y[:, :6, :6]])
    for direction in ("down", "right"):
        plot = plot_architecture(keras.Model(inputs, x), expand=1, direction=direction)
        assert not faults(plot)


def test_plot_architecture_refuses_another_direction() -> None:
    with pytest.raises(ValueError, match=r"Did you mean 'down'\? Received: direction='dowm'"):
        kerasviz.plot_architecture(chain(), direction="dowm")


def test_plot_architecture_draws_skips_thinner_than_the_main_path(plot_architecture: Any) -> None:
    inputs = keras.Input((8, 8, 4), name="image")
    x = convolution(convolution(inputs, 4, "a"), 4, "b", activation="relu")
    plot = plot_architecture(keras.Model(inputs, layers.Add(name="sum")([inputs, x])))
    widths = {round(width, 2): len(points) for points, width in lines(plot)}
    assert len(widths) == 2
    thin = [points for points, width in lines(plot) if round(width, 2) == min(widths)]
    assert len(thin) == 1
    assert np.ptp(thin[0][:, 0]) > 20, "it is the one that runs beside the boxes"


@pytest.mark.slow
def test_plot_architecture_puts_numbers_for_the_third_of_long_lines(
    plot_architecture: Any,
) -> None:
    """Each layer takes what all before it make."""
    inputs = keras.Input((8, 8, 2), name="image")
    made = [inputs]
    for index in range(7):
        x = layers.Concatenate(name=f"cat{index}")(made) if index else inputs
        made.append(convolution(x, 2, f"conv{index}"))
    outputs = layers.Concatenate(name="last")(made)
    plot = plot_architecture(keras.Model(inputs, outputs), figsize=(6, 16))
    at = places(plot)
    numbers = {word for word in texts_of(plot) if word.replace(", ", "").isdigit() and "," in word}
    assert numbers, "several lines end as numbers at one box"
    assert {"1", "2"} <= set(texts_of(plot))
    sides = [points[:, 0] for points, _ in lines(plot) if np.ptp(points[:, 1]) > 200]
    right = [x for x in sides if x.max() > at["last"][0] + 150]
    assert len(right) <= 2
    assert not faults(plot)


def test_plot_architecture_says_which_expand_shows_hidden_convolutions(
    plot_architecture: Any,
) -> None:
    stack = [keras.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Conv2D(3, 3)]
    inner = keras.Sequential(stack, name="inner")
    outer = keras.Sequential([keras.Input((8, 8, 1)), inner, layers.Flatten()], name="outer")
    model = keras.Sequential([keras.Input((8, 8, 1)), outer, layers.Dense(2)], name="net")
    assert "expand=1 draws 2 convolutions" in texts_of(plot_architecture(model))
    assert "expand=2 draws 2 convolutions" in texts_of(plot_architecture(model, expand=1))
    assert "expand" not in " ".join(texts_of(plot_architecture(model, expand=2)))
    dense = keras.Sequential([keras.Input((3,)), layers.Dense(2)], name="dense")
    nested = keras.Sequential([keras.Input((3,)), dense])
    assert "expand" not in " ".join(texts_of(plot_architecture(nested)))


def test_plot_architecture_gives_weights_to_the_first_call(plot_architecture: Any) -> None:
    """It need not be the first that runs: here the second call does."""
    shared = layers.Dense(4, name="shared")
    inputs = keras.Input((4,), name="x")
    first = shared(inputs)
    second = layers.Dense(3, name="after")(shared(layers.Dense(4, name="before")(inputs)))
    second = layers.Dense(4, name="end")(second)
    plot = plot_architecture(keras.Model(inputs, layers.Add(name="sum")([first, second])))
    written = texts_of(plot)
    assert written[written.index("shared:1") - 1] == "weights of shared:0"
    assert written[written.index("shared:0") - 1] == "20 params"


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return kerasviz.fashion_mnist.load_model()


@pytest.mark.few(2)
@pytest.mark.parametrize("case", slow_after(3, sample_cases(9, seed=4)), ids=str)
def test_plot_architecture_is_legible_in_any_figure(network: keras.Model, case: Case) -> None:
    is_legible_or_refused(lambda **place: kerasviz.plot_architecture(network, **place), case)


@pytest.mark.few(1)
@pytest.mark.parametrize("direction", ["down", "right"])
def test_plot_architecture_is_legible_in_either_direction(
    plot_architecture: Any, network: keras.Model, direction: str
) -> None:
    assert not faults(plot_architecture(network, direction=direction))


def largest(plot: kerasviz.Plot) -> float:
    return max(text.get_fontsize() for text in plot.axes[0].texts)


def test_plot_architecture_grows_with_the_figure_and_with_the_font(
    plot_architecture: Any,
) -> None:
    sizes = [largest(plot_architecture(chain(), figsize=size)) for size in ((4, 5), (6, 7), (9, 9))]
    assert sizes[0] < sizes[1] <= sizes[2]
    plain = plot_architecture(chain())
    with plt.rc_context({"font.size": 15}):
        large = plot_architecture(chain())
    assert largest(large) == pytest.approx(1.5 * largest(plain))
    inches = large.figure.get_size_inches() / plain.figure.get_size_inches()
    np.testing.assert_allclose(inches, 1.5, rtol=0.05)


def test_plot_architecture_keeps_its_proportions_in_a_figure_that_is_resized(
    plot_architecture: Any,
) -> None:
    plot = plot_architecture(chain(), figsize=(6, 6))
    before = largest(plot)
    for factor in (0.6, 1.5):
        plot.figure.set_size_inches(6 * factor, 6 * factor)
        assert not faults(plot)
        assert largest(plot) == pytest.approx(factor * before, rel=0.1)


def test_plot_architecture_refuses_a_figure_that_is_too_small(network: keras.Model) -> None:
    figure = Figure(figsize=(2, 1))
    for options in ({"figsize": (2, 1)}, {"figure": figure}, {"ax": figure.add_subplot()}):
        with pytest.raises(
            ValueError, match=r"at least \d\.\d x \d\.\d in\. Received: 2\.0 x 1\.0"
        ):
            kerasviz.plot_architecture(network, **options)
    assert len(figure.axes) == 1
    assert not figure.axes[0].texts
    assert not plt.get_fignums()


def cell_network(cells: int = 4) -> keras.Model:
    """Return a network whose cells take the outputs of the two cells before them, as in NASNet."""
    inputs = keras.Input((8, 8, 2), name="image")
    before = last = convolution(inputs, 2, "stem")
    for index in range(cells):
        branches = [
            layers.MaxPooling2D(1, name=f"pool{index}")(before),
            convolution(last, 2, f"short{index}"),
            convolution(convolution(last, 2, f"long{index}a"), 2, f"long{index}b"),
        ]
        before, last = last, layers.Add(name=f"cell{index}")(branches)
    return keras.Model(inputs, layers.GlobalAveragePooling2D(name="mean")(last))


def test_plot_architecture_draws_a_cell_as_one_box(plot_architecture: Any) -> None:
    plot = plot_architecture(cell_network(), detail="cells", fold=False)
    written = texts_of(plot)
    assert written.count("Cell of 5 layers") == 4
    assert {"3 Conv2D, MaxPooling2D, Add", "114 params", "cell0", "stem", "mean"} <= set(written)
    assert not any(name in written for name in ("pool0", "short1", "long2a"))
    skips = sum(len(points) > 2 for points, _ in lines(plot))
    assert skips >= 4, "each cell but the last leads to the next and to the one after it"


def test_plot_architecture_draws_cells_where_all_boxes_would_be_too_small(
    plot_architecture: Any,
) -> None:
    plot = plot_architecture(cell_network(12), figsize=(6, 4), fold=False)
    written = " ".join(texts_of(plot))
    assert "detail='blocks' draws all 63 boxes." in written
    small = plot_architecture(cell_network(12), figsize=(6, 4), fold=False, detail="blocks")
    sizes = [min(text.get_fontsize() for text in x.axes[0].texts) for x in (plot, small)]
    assert sizes[0] > 1.3 * sizes[1]
    assert "Each cell" not in " ".join(texts_of(plot_architecture(cell_network())))


def test_plot_architecture_of_more_than_a_page_has_cells(plot_architecture: Any) -> None:
    plot = plot_architecture(cell_network(30), fold=False)
    assert "detail='blocks' draws all 153 boxes." in " ".join(texts_of(plot))
    width, height = plot.figure.get_size_inches()
    assert width * height < 120


def test_plot_architecture_of_more_than_a_page_has_no_cell_that_is_the_whole_model(
    plot_architecture: Any,
) -> None:
    inputs = x = keras.Input((8, 8, 2), name="image")
    skips = []
    for index in range(60):
        x = convolution(x, 2, f"down{index}")
        skips.append(x)
    for index, skip in enumerate(reversed(skips)):
        x = layers.Concatenate(name=f"join{index}")([convolution(x, 2, f"up{index}"), skip])
    plot = plot_architecture(keras.Model(inputs, x), fold=False)
    assert "down30" in texts_of(plot)
