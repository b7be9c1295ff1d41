"""Read the numbers that `plot_convolution` writes into cells, titles and sums."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz
from written_words import last_line, texts_of


@pytest.fixture
def plot_sum(closing):
    """Draw the sum of ones with these weights, one per channel, and a bias."""

    def plot(weights, bias=None, **options):
        layer = layers.Conv2D(1, 1, use_bias=bias is not None, name="c")
        model = keras.Sequential([keras.Input((1, 1, len(weights))), layer])
        kernel = np.reshape(weights, (1, 1, -1, 1))
        model.set_weights([kernel] if bias is None else [kernel, np.array([bias])])
        draw = closing(kerasviz.plot_convolution)
        return draw(model, "c", np.ones((1, 1, len(weights))), position=(0, 0), **options)

    return plot


@pytest.fixture
def plot_row(closing):
    """Draw a convolution whose kernel is one row."""

    def plot(weights):
        layer = layers.Conv2D(1, (1, len(weights)), use_bias=False, name="c")
        model = keras.Sequential([keras.Input((1, len(weights), 1)), layer])
        model.set_weights([np.reshape(weights, (1, -1, 1, 1))])
        draw = closing(kerasviz.plot_convolution)
        return draw(model, "c", np.ones((1, len(weights), 1)), position=(0, 0))

    return plot


@pytest.fixture
def plot_mean(closing):
    """Draw the mean of all values of an image."""

    def plot(image):
        layer = layers.AveragePooling2D(image.shape, name="p")
        model = keras.Sequential([keras.Input((*image.shape, 1)), layer])
        return closing(kerasviz.plot_convolution)(model, "p", image, position=(0, 0))

    return plot


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("value", "text", "unit"),
    [
        (0.8349, "0.83", ""),
        (-0.8349, "−0.83", ""),
        (0.0512, "0.051", ""),
        (3.14159, "3.14", ""),
        (31.4159, "31.4", ""),
        (314.159, "314", ""),
        (0.00456, "4.56", ", in 10⁻³"),
        (0.0000456, "45.6", ", in 10⁻⁶"),
        (56789.1, "56.8", ", in 10³"),
        (7.0, "7", ""),
        (-255, "−255", ""),
        (0.0, "0", ""),
    ],
)
def test_plot_convolution_writes_a_few_digits_of_the_largest_number(plot_sum, value, text, unit):
    kernel = plot_sum([value]).axes[2]
    assert texts_of(kernel) == [text]
    assert kernel.get_title() == f"kernel\n1×1{unit}"


def test_plot_convolution_tells_a_rounded_number_from_0(plot_row):
    kernel = plot_row([0.5, 0, 0.001, -0.001]).axes[2]
    assert texts_of(kernel) == ["0.50", "0", "0.00", "0.00"]


@pytest.mark.filterwarnings("ignore:.*NaN or infinite", "ignore:__array__ implementation")
def test_plot_convolution_chooses_the_format_by_finite_numbers(plot_row, plot_sum):
    assert texts_of(plot_row([np.nan, -np.inf, 0.25]).axes[2]) == ["nan", "−inf", "0.25"]
    assert last_line(plot_sum([np.nan], 0.5)) == "nan + 0.500 (bias) = nan"


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.00467, "−4.670, in 10⁻³"), (0.0467, "0.0467"), (12.3456, "12.35")],
)
def test_plot_convolution_writes_the_sum_in_the_unit_of_the_products(plot_sum, value, text):
    plot = plot_sum([value])
    unit = ", in 10⁻³" if "10⁻³" in text else ""
    assert plot.axes[3].get_title().split() == f"products{unit}".split()
    assert plot.axes[3].get_xlabel() == f"sum {text}"
    assert last_line(plot) == f"sum of products {text}"


def test_plot_convolution_writes_sums_and_formula_alike(plot_sum):
    plot = plot_sum([0.154, 0.0036, 0.0044], 0.0)
    sums = [ax.get_xlabel() for ax in plot.axes[3::4]]
    assert sums == ["sum 0.154", "sum 0.004", "sum 0.004"]
    assert last_line(plot) == "0.154 + 0.004 + 0.004 + 0 (bias) = 0.162"


def test_plot_convolution_names_the_terms_of_a_sum(plot_sum):
    plot = plot_sum([0.311, -0.113, 0.2, 0.23], -0.01, channel=[0, 1])
    expected = "0.311 − 0.113 + 0.430 (2 other channels) − 0.010 (bias) = 0.618"
    assert last_line(plot) == expected
    assert last_line(plot_sum([-1, 3])) == "−1 + 3 = 2"


def test_plot_convolution_writes_terms_that_add_up_to_the_total(plot_sum):
    assert last_line(plot_sum([0.1234] * 3)) == "0.1234 + 0.1234 + 0.1234 = 0.3702"
    assert last_line(plot_sum([1 / 3] * 3)) == "0.33333 + 0.33333 + 0.33333 ≈ 1.00000"


def test_plot_convolution_shows_what_a_mean_is_made_of(plot_mean):
    plot = plot_mean(np.array([[1.0, 2, 6]]))
    assert last_line(plot) == "mean of 3 values: (1 + 2 + 6) / 3 = 3"
    assert last_line(plot_mean(np.array([[0.5]]))) == "the only value: 0.500"
    assert last_line(plot_mean(np.full((4, 4), 0.5))) == "mean of 16 values: 8.000 / 16 = 0.500"
