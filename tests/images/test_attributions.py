"""Pictures of attributions; look at them before you commit them.

Draw them again with
`pytest tests/images/test_attributions.py --mpl-generate-path=tests/images/baseline`.
"""

import numpy as np
import pytest

import kerasviz

CURVE = {"fractions": np.linspace(0, 1, 5)}


@pytest.fixture
def plot_attributions(closing):
    return closing(kerasviz.plot_attributions)


def curve(values, random):
    """Return the curve of two samples, with its areas."""
    values, random = np.array(values, float), np.array(random, float)
    areas = {"area": values.mean(axis=1), "random_area": random.mean(axis=1)}
    return kerasviz.EvidenceCurve(**CURVE, values=values, random=random, **areas)


@pytest.fixture
def attributions():
    """Return attributions of two discs by two methods, of known values, without a model."""
    y, x = np.mgrid[:16, :16]
    discs = np.stack([np.hypot(y - 7, x - c) < 5 for c in (5, 10)]).astype("float32")
    falls = [[0.9, 0.2, 0.1, 0, 0], [0.6, 0.6, 0.5, 0.2, 0]]
    random = [[0.9, 0.8, 0.5, 0.2, 0], [0.6, 0.4, 0.2, 0.1, 0]]
    rises = [row[::-1] for row in falls]
    evidence = kerasviz.Evidence(
        deletion=curve(falls, random),
        insertion=curve(rises, [row[::-1] for row in random]),
        faithful=np.array([True, False]),
    )
    cells = discs.reshape(2, 4, 4, 4, 4).mean(axis=(2, 4))
    cells[1] = 0
    signed = discs * np.sign(x - 7) * np.abs(y - 7) / 5
    facts = {
        "targets": np.array([1, 0]),
        "score": "logit",
        "scores": np.array([2.5, -0.4]),
        "probabilities": np.array([0.9, 0.6]),
        "baseline_probabilities": np.array([0.1, 0.7]),
        "evidence": evidence,
    }
    return discs, {
        "gradient": kerasviz.Attributions(
            values=signed[..., np.newaxis], method="gradient", layer=None, **facts
        ),
        "grad-cam": kerasviz.Attributions(values=cells, method="grad-cam", layer="conv", **facts),
    }


@pytest.mark.mpl_image_compare
def test_attributions_beside_their_evidence(plot_attributions, attributions):
    discs, results = attributions
    names = ["left", "right"]
    return plot_attributions(results, discs, sample="all", class_names=names, labels=[1, 1]).figure
