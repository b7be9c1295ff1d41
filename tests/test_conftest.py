"""The checks that hold for every test, broken on purpose."""

import re
from pathlib import Path

import matplotlib
import pytest

pytest_plugins = ["pytester"]

CONFTEST = re.sub(  # as if the baselines were made with the Matplotlib that is here
    r"(?m)^BASELINE_MATPLOTLIB = .*$",
    f'BASELINE_MATPLOTLIB = "{matplotlib.__version__}"',
    Path(__file__).with_name("conftest.py").read_text(),
)


@pytest.fixture
def run(pytester, monkeypatch):
    monkeypatch.delenv("KERASVIZ_REQUIRE_BASELINES", raising=False)

    def run(tests, *, conftest=CONFTEST):
        pytester.makeconftest(conftest)
        pytester.makepyfile(tests)
        return pytester.runpytest_subprocess("--mpl", "-p", "no:cacheprovider")

    return run


@pytest.mark.slow
def test_a_leak_or_a_missing_baseline_fails_the_test_that_has_it(run):
    result = run(
        """
        import matplotlib.pyplot as plt
        import numpy as np
        import pytest
        from matplotlib import rcParams

        def test_open_figure():
            plt.figure()

        def test_open_figure_beside_a_plot(plot_tiles):
            plot_tiles(np.eye(3))
            plt.figure()

        def test_changed_setting():
            rcParams["image.cmap"] = "gray"

        @pytest.mark.mpl_image_compare
        def test_without_a_baseline(plot_tiles):
            return plot_tiles(np.eye(3)).figure

        def test_plots_are_closed(plot_tiles):
            assert rcParams["image.cmap"] == "viridis"
            figure = plot_tiles(np.eye(3)).figure
            assert plt.get_fignums() == [figure.number]

        def test_closed_figure():
            assert not plt.get_fignums()
            plt.close(plt.figure())
        """
    )
    result.assert_outcomes(passed=5, errors=3, failed=1)
    result.stdout.fnmatch_lines_random(
        [
            "E * the test left 1 pyplot figures open*",
            "E * the test left rcParams changed: *image.cmap*",
            "ERROR *::test_open_figure*",
            "ERROR *::test_open_figure_beside_a_plot*",
            "ERROR *::test_changed_setting*",
            "FAILED *::test_without_a_baseline*",
        ]
    )


@pytest.mark.slow
def test_a_baseline_counts_for_its_own_matplotlib_alone(run):
    other = CONFTEST.replace('BASELINE_MATPLOTLIB = "', 'BASELINE_MATPLOTLIB = "0.')
    assert other != CONFTEST
    result = run(
        """
        import os
        import pytest

        @pytest.mark.mpl_image_compare
        def test_skipped():
            pytest.fail("it ran")

        def test_pictures_are_required_from_now_on():
            os.environ["KERASVIZ_REQUIRE_BASELINES"] = "1"

        @pytest.mark.mpl_image_compare
        def test_required():
            pytest.fail("it ran")
        """,
        conftest=other,
    )
    result.assert_outcomes(skipped=1, passed=1, errors=1)
    result.stdout.fnmatch_lines(["the baselines count for Matplotlib 0.*, this is *"])


@pytest.mark.slow
@pytest.mark.parametrize(("cases", "always"), [(None, 3), ("2", 2), ("5", 3)])
def test_few_cases_of_a_test_run_always_and_the_others_are_slow(
    pytester, monkeypatch, cases, always
):
    if cases:
        monkeypatch.setenv("KERASVIZ_CASES", cases)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.few(3)
        @pytest.mark.parametrize("x", range(5))
        @pytest.mark.parametrize("y", range(2))
        def test_it(x, y):
            pass

        def test_another():
            pass
        """
    )
    for expression, passed in (("not slow", always + 1), ("slow", 10 - always)):
        result = pytester.runpytest_subprocess("-m", expression, "-p", "no:cacheprovider")
        result.assert_outcomes(passed=passed, deselected=11 - passed)
