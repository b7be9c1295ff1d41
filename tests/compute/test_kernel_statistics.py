"""What kernels look like in numbers: the numbers are those of NumPy, SciPy and plain Python."""

from __future__ import annotations

import dataclasses
import html
import math
import re
import statistics
import sys
import warnings
from collections.abc import Callable
from typing import Any

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from keras import layers
from scipy import stats

import kerasviz

KERAS_ON_TORCH = "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


def model_of(*parts: keras.Layer, shape: tuple[int, ...] = (8, 8, 3)) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *parts])


def with_kernel(kernel: Any, name: str = "conv") -> keras.Model:
    """Return a model of one convolution that has this kernel and no bias."""
    kernel = np.asarray(kernel, "float32")
    height, width, channels, filters = kernel.shape
    layer = layers.Conv2D(filters, (height, width), use_bias=False, name=name)
    model = model_of(layer, shape=(8, 8, channels))
    layer.set_weights([kernel])
    return model


# The numbers


def test_kernel_statistics_are_those_of_scipy(grey_model: keras.Model) -> None:
    table = kerasviz.kernel_statistics(grey_model)
    assert [row.address for row in table] == ["first", "second"]
    for row in table:
        kernel = np.array(grey_model.get_layer(row.address).get_weights()[0])
        expected = stats.describe(kernel, axis=None, ddof=0)
        norms = [np.linalg.norm(kernel[..., n]) for n in range(kernel.shape[-1])]
        assert row.shape == kernel.shape
        assert row.parameters == expected.nobs
        assert (row.min, row.max) == expected.minmax
        assert row.mean == pytest.approx(expected.mean)
        assert row.std == pytest.approx(math.sqrt(expected.variance))
        assert row.norm == pytest.approx(math.hypot(*kernel.ravel().tolist()))
        assert row.filter_norm_min == pytest.approx(min(norms))
        assert row.filter_norm_mean == pytest.approx(np.mean(norms))
        assert row.filter_norm_max == pytest.approx(max(norms))
        assert row.not_finite == 0
    assert [row.zero for row in table] == [0, 1]


@pytest.mark.parametrize(
    ("layer", "shape", "filter_axes"),
    [
        (layers.Conv1D(4, 3), (9, 2), (-1,)),
        (layers.Conv2D(4, (3, 2), groups=2), (8, 8, 6), (-1,)),
        (layers.Conv3D(4, 2), (5, 5, 5, 2), (-1,)),
        (layers.Conv1DTranspose(4, 3), (9, 2), (-2,)),
        (layers.Conv2DTranspose(4, (3, 2)), (8, 8, 3), (-2,)),
        (layers.Conv3DTranspose(4, 2), (5, 5, 5, 2), (-2,)),
        (layers.DepthwiseConv1D(3, depth_multiplier=2), (9, 3), (-2, -1)),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 3), (-2, -1)),
        (layers.SeparableConv1D(4, 3), (9, 3), (-2, -1)),
        (layers.SeparableConv2D(4, 3), (8, 8, 3), (-2, -1)),
        (layers.ConvLSTM1D(2, 3), (2, 6, 3), (-1,)),
        (layers.ConvLSTM2D(2, 3), (2, 6, 6, 3), (-1,)),
        (layers.ConvLSTM3D(2, 3), (2, 5, 5, 5, 3), (-1,)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.Layer) else "",
)
def test_kernel_statistics_of_every_kind_of_convolution(
    layer: keras.Layer, shape: tuple[int, ...], filter_axes: tuple[int, ...]
) -> None:
    model = model_of(layer, shape=shape)
    raw = np.array(layer.get_weights()[0], "float64")
    (row,) = kerasviz.kernel_statistics(model)
    others = tuple(set(range(raw.ndim)) - {axis % raw.ndim for axis in filter_axes})
    norms = np.sqrt((raw**2).sum(axis=others)).ravel()
    assert row.shape == kerasviz.get_kernels(model, 0).shape
    assert row.shape[-1] == norms.size
    assert row.parameters == raw.size
    assert row.mean == pytest.approx(raw.mean())
    assert row.std == pytest.approx(raw.std())
    assert row.norm == pytest.approx(np.sqrt((raw**2).sum()))
    numbers = row.filter_norm_min, row.filter_norm_mean, row.filter_norm_max
    assert numbers == pytest.approx((norms.min(), norms.mean(), norms.max()))


VALUES = st.floats(-1e3, 1e3, width=32) | st.sampled_from([0.0, math.nan, math.inf, -math.inf])


@hypothesis.given(
    shape=st.tuples(*[st.integers(1, 3)] * 4), near_zero=st.floats(0, 0.9), data=st.data()
)
@hypothesis.settings(max_examples=40)
def test_kernel_statistics_of_any_weights(
    shape: tuple[int, ...], near_zero: float, data: st.DataObject
) -> None:
    size = math.prod(shape)
    weights = data.draw(st.lists(VALUES, min_size=size, max_size=size))
    kernel = np.array(weights, "float32").reshape(shape)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*of the weights (is|are) NaN or infinite", UserWarning)
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        (row,) = kerasviz.kernel_statistics(with_kernel(kernel), near_zero=near_zero)
    finite = [weight for weight in kernel.ravel().tolist() if math.isfinite(weight)]
    assert row.parameters == size
    assert row.not_finite == size - len(finite)
    if not finite:
        numbers = dataclasses.asdict(row)
        assert all(math.isnan(numbers[name]) for name in ("mean", "std", "norm", "near_zero"))
        return
    limit = near_zero * max(map(abs, finite))
    assert row.mean == pytest.approx(statistics.fmean(finite), abs=1e-9)
    assert row.std == pytest.approx(statistics.pstdev(finite), rel=1e-6, abs=1e-9)
    assert (row.min, row.max) == (min(finite), max(finite))
    assert row.norm == pytest.approx(math.hypot(*finite))
    assert row.near_zero == pytest.approx(sum(abs(w) <= limit for w in finite) / len(finite))
    filters = [kernel[..., n].ravel().tolist() for n in range(shape[-1])]
    assert row.zero == sum(all(abs(w) <= limit for w in weights) for weights in filters)
    norms = [
        math.hypot(*(w for w in weights if math.isfinite(w)))
        for weights in filters
        if any(map(math.isfinite, weights))
    ]
    numbers = row.filter_norm_min, row.filter_norm_mean, row.filter_norm_max
    assert numbers == pytest.approx((min(norms), statistics.fmean(norms), max(norms)))


@pytest.mark.parametrize(
    ("near_zero", "share", "zero"), [(0, 0.25, 1), (0.01, 0.5, 2), (0.5, 0.875, 3)]
)
def test_kernel_statistics_measure_near_zero_by_the_largest_weight(
    near_zero: float, share: float, zero: int
) -> None:
    kernel = [[[[-2.0, 0.02, 0.0, 0.9], [0.5, -0.02, 0.0, 0.03]]]]
    (row,) = kerasviz.kernel_statistics(with_kernel(kernel), near_zero=near_zero)
    assert row.near_zero == share
    assert row.zero == zero


def test_kernel_statistics_count_every_filter_of_zeros_as_dead() -> None:
    (row,) = kerasviz.kernel_statistics(with_kernel(np.zeros((3, 3, 2, 5))))
    assert (row.near_zero, row.zero, row.norm, row.filter_norm_max) == (1, 5, 0, 0)


def test_kernel_statistics_do_not_count_a_constant_filter_as_dead() -> None:
    (row,) = kerasviz.kernel_statistics(with_kernel(np.full((3, 3, 1, 2), 1 / 9)))
    assert (row.near_zero, row.zero) == (0, 0)


@pytest.mark.filterwarnings(KERAS_ON_TORCH)
def test_kernel_statistics_count_and_leave_out_weights_that_are_not_finite() -> None:
    kernel = np.arange(1.0, 9).reshape(2, 2, 1, 2)
    kernel[0, 0, 0, 0], kernel[1, 1, 0, 1], kernel[0, 1, 0, 1] = np.nan, np.inf, -np.inf
    model = with_kernel(kernel)
    message = "^3 of the weights are NaN or infinite; they are left out"
    with pytest.warns(UserWarning, match=message) as caught:
        table = kerasviz.kernel_statistics(model)
    ours = [warning for warning in caught if warning.category is UserWarning]
    assert [warning.filename for warning in ours] == [__file__]
    (row,) = table
    assert row.not_finite == 3
    assert row.parameters == 8
    assert row.mean == pytest.approx(np.mean([2, 3, 5, 6, 7]))
    assert row.norm == pytest.approx(np.sqrt(4 + 9 + 25 + 36 + 49))
    header, line, _, *legend = str(table).splitlines()
    assert header.endswith("  NaN/inf")
    assert line.endswith("  3")
    assert legend[1].startswith("NaN/inf: ")


@pytest.mark.filterwarnings("ignore:.*NaN or infinite:UserWarning")
def test_kernel_statistics_have_no_numbers_of_a_layer_without_a_finite_weight() -> None:
    table = kerasviz.kernel_statistics(with_kernel(np.full((1, 1, 2, 2), np.nan)))
    (row,) = table
    assert (row.not_finite, row.zero) == (4, 0)
    assert math.isnan(row.mean)
    assert "nan" in str(table)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_kernel_statistics_of_other_precisions(dtype: str) -> None:
    layer = layers.Conv2D(3, 3, dtype=dtype)
    model = model_of(layer)
    kernel = keras.ops.convert_to_numpy(keras.ops.cast(layer.kernel, "float32"))
    (row,) = kerasviz.kernel_statistics(model)
    assert row.mean == pytest.approx(np.mean(kernel, dtype="float64"))
    assert row.std == pytest.approx(np.std(kernel, dtype="float64"))
    assert row.max == kernel.max()


def test_kernel_statistics_count_lora_as_part_of_the_kernel() -> None:
    layer = layers.Conv2D(4, 3, use_bias=False)
    model = model_of(layer)
    before = np.array(layer.get_weights()[0])
    layer.enable_lora(2)
    a, b = layer.lora_kernel_a, layer.lora_kernel_b
    b.assign(np.random.default_rng(1).normal(size=b.shape))
    with_lora = before + np.matmul(keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b))
    (row,) = kerasviz.kernel_statistics(model)
    assert row.parameters == before.size
    assert row.norm == pytest.approx(np.linalg.norm(with_lora.ravel()), rel=1e-5)
    assert row.norm != pytest.approx(np.linalg.norm(before.ravel()), rel=1e-2)


def test_kernel_statistics_of_both_kernels_of_a_layer_that_has_two() -> None:
    separable = layers.SeparableConv2D(5, 3, name="s")
    model = model_of(separable)
    table = kerasviz.kernel_statistics(model, ["s", "s/pointwise"])
    depthwise, pointwise = separable.get_weights()[:2]
    assert [row.parameters for row in table] == [depthwise.size, pointwise.size]
    assert table["s"].norm == pytest.approx(np.linalg.norm(depthwise.ravel()))
    assert table["s/pointwise"].norm == pytest.approx(np.linalg.norm(pointwise.ravel()))


def test_kernel_statistics_have_one_row_for_a_layer_that_is_called_twice() -> None:
    inputs = keras.Input((6, 6, 2))
    c = layers.Conv2D(2, 3, padding="same", name="c")
    model = keras.Model(inputs, c(c(inputs)))
    assert len(kerasviz.kernel_statistics(model)) == 1
    assert [row.address for row in kerasviz.kernel_statistics(model, "c")] == ["c"]


# The table


@pytest.fixture
def table() -> kerasviz.KernelStatistics:
    """Three layers of plain numbers, from small ones to large ones, one of them nested."""
    small = with_kernel(np.reshape([0.01, -0.02, 0.0, 0.03], (1, 2, 1, 2)), "small")
    one = with_kernel(np.reshape([1.0, -1.0], (1, 1, 2, 1)), "one")
    b = with_kernel((np.arange(-600, 600) / 4).reshape(4, 5, 6, 10), "large")
    b.name = "b"
    parts = [small.layers[0], one.layers[0], b]
    inputs = [keras.Input((8, 8, channels)) for channels in (1, 2, 6)]
    model = keras.Model(inputs, [part(x) for part, x in zip(parts, inputs, strict=True)])
    return kerasviz.kernel_statistics(model)


@pytest.fixture
def table_of(table: kerasviz.KernelStatistics) -> Callable[..., kerasviz.KernelStatistics]:
    """Make a table of one row, with values of one's own."""

    def make(**values: Any) -> kerasviz.KernelStatistics:
        return kerasviz.KernelStatistics((dataclasses.replace(table[0], **values),))

    return make


def printed(table: kerasviz.KernelStatistics, column: int) -> str:
    """Return what is printed in a column of a table of one row."""
    return str(table).splitlines()[1].split()[column]


TABLE = """\
layer    kernel    weights      mean      std        min       max        norm  filter norm  near 0  zero
small    1×2×1×2         4   0.00500   0.0180    -0.0200    0.0300      0.0374       0.0230   25.0%     0
one      1×1×2×1         2   0.00      1.00      -1.00      1.00        1.41         1.41      0.0%     0
b/large  4×5×6×10    1,200  -0.125    86.6     -150       150       3,000          949         1.1%     0

near 0: at most 1% of the layer's largest magnitude; zero: filters with no other weights
"""  # noqa: E501


def test_kernel_statistics_are_a_table_when_printed(table: kerasviz.KernelStatistics) -> None:
    assert str(table) == repr(table) == TABLE.rstrip()
    columns = str(table).splitlines()[:4]
    for name in ("mean", "std", "min", "max", "norm", "filter norm"):
        end = columns[0].index(name) + len(name)
        points = {
            line.index(".", end - 10, end) for line in columns[1:] if "." in line[end - 10 : end]
        }
        assert len(points) == 1, name


def test_kernel_statistics_say_in_the_legend_what_is_near_zero() -> None:
    table = kerasviz.kernel_statistics(with_kernel(np.ones((1, 1, 1, 1))), near_zero=0.125)
    assert table.threshold == 0.125
    assert str(table).splitlines()[-1].startswith("near 0: at most 12.5% of the layer's largest ")


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0.0, "0.0%"),
        (1e-5, "<0.1%"),
        (0.0005, "0.1%"),
        (0.12345, "12.3%"),
        (0.99999, ">99.9%"),
        (1, "100.0%"),
    ],
)
def test_kernel_statistics_write_0_and_100_percent_only_where_they_are_exact(
    table_of: Any, share: float, written: str
) -> None:
    assert printed(table_of(near_zero=share), -2) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0.00"),
        (-0.01234, "-0.0123"),
        (12.345, "12.3"),
        (99.99, "100"),
        (1234.5, "1,234"),
        (-123456.7, "-123,457"),
        (1e6, "1.00e+06"),
        (3.21e-6, "3.21e-06"),
        (math.nan, "nan"),
    ],
)
def test_kernel_statistics_write_three_digits_or_the_whole_part(
    table_of: Any, value: float, written: str
) -> None:
    assert printed(table_of(mean=value), 3) == written


def test_kernel_statistics_are_a_table_in_a_notebook(table_of: Any) -> None:
    (row,) = kerasviz.kernel_statistics(with_kernel(np.ones((1, 2, 3, 4))))
    text = table_of(**{**dataclasses.asdict(row), "address": "a<b"})._repr_html_()
    assert text.count("<tr>") == 2
    assert "<th>filter norm</th>" in text
    assert "<td>a&lt;b</td><td>1×2×3×4</td><td>24</td><td>1.00</td>" in text
    assert html.escape("layer's largest magnitude") in text


def test_kernel_statistics_have_a_row_for_any_address(
    table: kerasviz.KernelStatistics,
) -> None:
    assert len(table) == 3
    assert list(table) == list(table.rows)
    assert table[0] is table["small"]
    assert table[-1] is table["b/large"]
    assert "one" in table
    assert table[1] in table
    assert "two" not in table
    with pytest.raises(KeyError, match="no row 'smal', but 'small'"):
        table["smal"]
    with pytest.raises(IndexError):
        table[3]


def test_kernel_statistics_are_a_table_in_part_too(table: kerasviz.KernelStatistics) -> None:
    part = table[1:]
    assert isinstance(part, kerasviz.KernelStatistics)
    assert [row.address for row in part] == ["one", "b/large"]
    assert len(str(part).splitlines()) == 5
    assert str(table[:0]).splitlines()[0].split() == str(table).splitlines()[0].split()
    assert table == kerasviz.KernelStatistics(table.rows)


def test_kernel_statistics_become_a_frame_of_pandas(table: kerasviz.KernelStatistics) -> None:
    pandas = pytest.importorskip("pandas")
    frame = table.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.index.tolist() == ["small", "one", "b/large"]
    assert frame.index.name == "address"
    assert frame.columns.tolist() == [field.name for field in dataclasses.fields(table[0])][1:]
    for row in table:
        assert frame.loc[row.address].to_dict() == {
            name: value for name, value in dataclasses.asdict(row).items() if name != "address"
        }
    assert table[:0].to_pandas().columns.tolist() == frame.columns.tolist()


def test_kernel_statistics_say_where_pandas_is_missing(
    table: kerasviz.KernelStatistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"^`to_pandas` needs pandas: pip install pandas$"):
        table.to_pandas()


# Mistakes, and what stays as it was


@pytest.mark.parametrize("near_zero", [-0.1, 1, 1.5, math.nan, math.inf, "1%", None, True, [0.1]])
def test_kernel_statistics_refuse_near_zero_that_is_not_a_share(
    grey_model: keras.Model, near_zero: Any
) -> None:
    message = f"`near_zero` must be a number from 0 to below 1. Received: near_zero={near_zero!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        kerasviz.kernel_statistics(grey_model, near_zero=near_zero)


@pytest.mark.parametrize("near_zero", [0, 0.5, np.float32(0.5), np.float64(0)])
def test_kernel_statistics_take_numbers_of_numpy(grey_model: keras.Model, near_zero: Any) -> None:
    assert kerasviz.kernel_statistics(grey_model, near_zero=near_zero).threshold == near_zero


def test_kernel_statistics_refuse_mistakes(grey_model: keras.Model) -> None:
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        kerasviz.kernel_statistics("model.keras")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Did you mean 'first'"):
        kerasviz.kernel_statistics(grey_model, "frist")
    with pytest.raises(ValueError, match="'flat' is a Flatten and has no kernel"):
        kerasviz.kernel_statistics(grey_model, "flat")
    with pytest.raises(ValueError, match="has no convolution"):
        kerasviz.kernel_statistics(model_of(layers.Dense(2)))


def test_kernel_statistics_leave_the_model_as_it_is(
    grey_model: keras.Model, capfd: pytest.CaptureFixture[str]
) -> None:
    before = grey_model.get_weights()
    kerasviz.kernel_statistics(grey_model)
    for weight, same in zip(grey_model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)
    assert capfd.readouterr() == ("", "")
