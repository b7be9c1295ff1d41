"""Attributions on every kind of model: integrated gradients add up, whatever the model is."""

import keras
import numpy as np
import pytest

from kerasviz import get_attributions

SHARE = 0.3
"""Of the input: a baseline of 0 is where a normalization is so steep that no steps would do."""


def first_output(returned):
    """Return the mean of the first output of each sample."""
    y = keras.ops.cast(keras.tree.flatten(returned)[0], "float32")
    return keras.ops.mean(keras.ops.reshape(y, (y.shape[0] or -1, int(np.prod(y.shape[1:])))), 1)


@pytest.mark.every_attribution
def test_get_attributions_add_up_to_the_change_of_the_score(case):
    model, inputs = case.model, case.inputs
    if any(np.asarray(x).dtype.kind != "f" for x in keras.tree.flatten(inputs)):
        with pytest.raises(TypeError, match="`method` must explain by a layer"):
            get_attributions(model, inputs, target={name_of_first(model): first_output})
        return
    target = {name_of_first(model): first_output}
    if case.runs_eagerly and keras.backend.backend() == "jax":
        with pytest.raises(ValueError, match="cannot be differentiated on JAX"):
            get_attributions(model, inputs, target=target, evidence=False)
        return
    is_single = isinstance(inputs, np.ndarray)  # of several, a baseline is a number
    baseline = keras.tree.map_structure(
        lambda x: SHARE * x if is_single else np.full_like(x, SHARE), inputs
    )
    steps = 128  # where gradients jump from step to step, doubling has no end
    found = get_attributions(
        model,
        inputs,
        target=target,
        baseline=baseline if is_single else SHARE,
        steps=steps,
        evidence=False,
    )
    total = sum(v.reshape(len(v), -1).sum(axis=1) for v in keras.tree.flatten(found.values))
    answers = [
        case.keeping_state(lambda x=x: first_output(model(x, training=False)))
        for x in (inputs, baseline)
    ]
    answers = [keras.ops.convert_to_numpy(answer) for answer in answers]
    np.testing.assert_allclose(total, answers[0] - answers[1], rtol=0.05, atol=2e-3)


def name_of_first(model):
    if isinstance(getattr(model, "output", None), dict):
        return next(iter(model.output))
    names = getattr(model, "output_names", None)
    return names[0] if names else "0"
