"""The surest mistakes of a model against a sort of all its answers at once."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasviz.compute.attribution.mistakes import find_mistakes


class Batches(keras.utils.PyDataset):
    def __init__(self, images, labels, size):
        super().__init__()
        self._arrays, self._size = (images, labels), size

    def __len__(self):
        return -(-len(self._arrays[0]) // self._size)

    def __getitem__(self, index):
        part = slice(index * self._size, (index + 1) * self._size)
        return tuple(array[part] for array in self._arrays)


def generator(images, labels, size):
    yield from ((images[i : i + size], labels[i : i + size]) for i in range(0, len(images), size))


def data_loader(images, labels, size):
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(images), torch.tensor(labels))
    return torch.utils.data.DataLoader(data, batch_size=size)


def tf_data(images, labels, size):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(size)


@pytest.fixture(params=["softmax", "log_softmax", None])
def classifier(request):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Flatten(),
            layers.Dense(7, kernel_initializer="normal", activation=request.param),
        ]
    )


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def expected(model, images, labels):
    """Return the probabilities of classes, and the indices of mistakes, the surest first."""
    layer = model.layers[-1]
    logits = images.reshape(len(images), -1) @ layer.get_weights()[0] + layer.get_weights()[1]
    p = softmax(logits)
    wrong = np.flatnonzero(p.argmax(axis=1) != labels)
    return p, wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")]


@pytest.mark.few(5)
@pytest.mark.parametrize(
    "stream",
    [None, generator, Batches, data_loader, tf_data],
    ids=lambda x: getattr(x, "__name__", "array"),
)
def test_find_mistakes_are_those_of_all_answers_sorted(classifier, rng, stream):
    images = rng.normal(size=(50, 4, 4, 1)).astype("float32")
    images[30] = images[3]  # of equal ones the earlier sample comes first
    labels = rng.integers(0, 7, 50)
    labels[30] = labels[3]
    p, order = expected(classifier, images, labels)
    for size in (7, 64):
        inputs, own = (images, labels) if stream is None else (stream(images, labels, size), None)
        found = find_mistakes(classifier, inputs, own, samples=12, batch_size=size)
        np.testing.assert_array_equal(found.indices, order[:12])
        np.testing.assert_array_equal(found.labels, labels[order[:12]])
        np.testing.assert_array_equal(found.predicted, p[order[:12]].argmax(axis=1))
        np.testing.assert_allclose(found.probabilities, p[order[:12]].max(axis=1), rtol=1e-5)
        of_labels = p[order[:12], labels[order[:12]]]
        np.testing.assert_allclose(found.label_probabilities, of_labels, rtol=1e-4)
        np.testing.assert_allclose(
            found.top_probabilities, -np.sort(-p[order[:12]])[:, :5], rtol=1e-4
        )
        np.testing.assert_array_equal(found.inputs, images[order[:12]])
        assert (found.count, found.samples) == (len(order), 50)
        assert found.from_logits == (
            classifier.layers[-1].activation is not keras.activations.softmax
        )


def test_find_mistakes_of_one_sigmoid(rng):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, activation="sigmoid")])
    x = rng.normal(size=(20, 3)).astype("float32")
    p = model.predict(x, verbose=0)[:, 0]
    labels = rng.integers(0, 2, 20)
    sure = np.where(p > 0.5, p, 1 - p)
    wrong = np.flatnonzero((p > 0.5) != labels)
    found = find_mistakes(model, x, labels.astype("float32")[:, np.newaxis], samples=30)
    np.testing.assert_array_equal(found.indices, wrong[np.argsort(-sure[wrong])])
    np.testing.assert_allclose(found.probabilities, -np.sort(-sure[wrong]), rtol=1e-5)
    assert found.top_classes.shape == (len(wrong), 2)


def test_find_mistakes_of_one_of_several_outputs_and_one_hot_labels(rng):
    inputs = keras.Input((3,))
    a = layers.Dense(4, activation="softmax", name="a")(inputs)
    model = keras.Model(inputs, {"a": a, "b": layers.Dense(2, name="b")(inputs)})
    x = rng.normal(size=(20, 3)).astype("float32")
    answers = model.predict(x, verbose=0)["a"].argmax(axis=1)
    labels = np.eye(4)[(answers + (np.arange(20) % 2)) % 4]
    found = find_mistakes(model, x, {"a": labels}, samples=20)
    np.testing.assert_array_equal(np.sort(found.indices), np.arange(1, 20, 2))
    with pytest.raises(ValueError, match="`labels` must be a dict that names one output, of 'a'"):
        find_mistakes(model, x, labels)


def test_find_mistakes_where_there_are_none(rng):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="softmax")])
    x = rng.normal(size=(5, 3)).astype("float32")
    found = find_mistakes(model, x, model.predict(x, verbose=0).argmax(axis=1))
    assert len(found) == found.count == 0
    assert found.inputs.shape == (0, 3)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (
            None,
            ValueError,
            "`labels` must be the class of each sample, unless `inputs` are batches",
        ),
        ([0, 1], ValueError, "`labels` must have one class for each of the 5 samples. Received: 2"),
        ([0, 1, 2, 3, 4], ValueError, "`labels` must be between 0 and 3"),
        ([0, 1, 2, 3, -1], ValueError, "`labels` must be between 0 and 3"),
        ([0.5] * 5, TypeError, "`labels` must be the class of each sample, integers"),
        (np.ones((5, 4)), ValueError, "`labels` must be classes or one-hot"),
        ("abcde", TypeError, "`labels` must be the class of each sample"),
        ({}, ValueError, "`labels` must be a dict of one output"),
    ],
)
def test_find_mistakes_refuse_labels_that_do_not_fit(labels, error, message):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="softmax")])
    with pytest.raises(error, match=message):
        find_mistakes(model, np.zeros((5, 3), "float32"), labels)


def test_find_mistakes_refuse_batches_without_labels():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="softmax")])
    with pytest.raises(ValueError, match=r"`labels` .* since the batches of `inputs` bring none"):
        find_mistakes(model, (np.zeros((5, 3), "float32") for _ in range(2)))
    with pytest.raises(ValueError, match="`inputs` must hold at least one batch"):
        find_mistakes(model, (x for x in ()))
