"""The one place that knows TensorFlow, JAX and PyTorch by name: traces, compiled runs, state."""

from __future__ import annotations

import inspect
import logging
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from kerasviz.model.graph import held_layers, leaves


def needs_sizes() -> bool:
    """Whether a trace needs a number for each size of its inputs: PyTorch knows no unknown ones."""
    return bool(keras.backend.backend() == "torch")


def trace(function: Callable[[Any], Any], specs: Any) -> None:
    """Call a function on symbolic inputs, so that it runs and nothing is computed.

    Args:
        function: What to call; what it sees of its inputs is up to it, its result is dropped.
        specs: The inputs, as a structure of `keras.KerasTensor`.
    """
    if keras.backend.backend() != "torch":
        _Tracer(function).compute_output_spec(specs)
        return
    # Not by Keras, which falls back on computing batches of 83 and 89 samples. The outer scope
    # gives values to variables that a first call makes only when the device is left.
    with keras.StatelessScope(), keras.device("meta"):
        try_out(function, specs)


def try_out(function: Callable[[Any], Any], specs: Any) -> None:
    """Call a function on ones, for what can only run on values; no state changes.

    Args:
        function: As for `trace`.
        specs: The inputs, as a structure of `keras.KerasTensor` of known sizes.
    """
    with _without_gradients(), keras.StatelessScope():
        function(keras.tree.map_structure(lambda x: keras.ops.ones(x.shape, x.dtype), specs))


@contextmanager
def _without_gradients() -> Iterator[None]:
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    with torch.no_grad():
        yield


class _Tracer(keras.Layer):
    """Lets Keras call a function on symbolic inputs."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__(name="kerasviz_tracer", autocast=False)
        self._function = function

    def call(self, inputs: Any) -> Any:
        self._function(inputs)
        return inputs


def trace_scope() -> Any:
    """Return what differs between the trace of a model and that of a loop, branch or map inside it.

    A value made in one cannot be used in the other.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    if keras.backend.backend() == "jax":
        from jax.extend import core

        return core.get_opaque_trace_state()
    import torch

    return torch._C._functorch.maybe_current_level()  # of `torch.vmap`, which has no public name


def is_inside_map() -> bool:
    """Whether the caller runs in a map over samples that TensorFlow traces beside the model.

    `keras.ops.map` calls its function once on the first sample before its loop, to learn what it
    returns, and `tf.vectorized_map` traces it on a placeholder for one sample. Both do so in the
    graph of the model, so that `trace_scope` cannot tell; the functions on the stack can.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    frame = inspect.currentframe()
    while frame is not None:
        if (frame.f_globals.get("__name__"), frame.f_code.co_name) in _MAPS:
            return True
        frame = frame.f_back
    return False


_MAPS = {
    ("keras.src.backend.tensorflow.core", "map"),
    ("tensorflow.python.ops.parallel_for.control_flow_ops", "pfor"),
    ("tensorflow.python.ops.parallel_for.control_flow_ops", "vectorized_map"),
}
"""The functions that call another one for one sample, by module and name."""


def tensor_version(tensor: Any) -> int:
    """Return how often code has written into a tensor: PyTorch alone lets it."""
    return int(getattr(tensor, "_version", 0)) if keras.backend.backend() == "torch" else 0


def writes_in_place() -> bool:
    """Whether code can write into a tensor that a layer has returned."""
    return bool(keras.backend.backend() == "torch")


def is_inside_graph() -> bool:
    """Whether the caller runs inside a `tf.function` or a `tf.Graph`, where nothing has a value."""
    tensorflow = sys.modules.get("tensorflow")
    return (
        keras.backend.backend() == "tensorflow"
        and tensorflow is not None
        and not tensorflow.executing_eagerly()
    )


def save_native_state(layer: keras.Layer, values: Iterable[Any]) -> Callable[[], None]:
    """Return what puts back the backend's own variables in a layer, of which Keras does not know.

    Args:
        layer: A layer.
        values: The values of the attributes that its own code sets.
    """
    if keras.backend.backend() == "tensorflow":
        return _save_variables(values)
    return _save_tensors(layer, values) if keras.backend.backend() == "torch" else lambda: None


def _save_variables(values: Iterable[Any]) -> Callable[[], None]:
    """Save TensorFlow's variables in values: by themselves, in modules and in generators."""
    import tensorflow as tf

    variables: list[Any] = []
    for value in leaves(list(values)):
        if isinstance(value, tf.Variable):
            variables.append(value)
        elif isinstance(value, tf.random.Generator):
            variables.append(value.state)
        elif isinstance(value, tf.Module):
            variables += value.variables
    before = [variable.numpy() for variable in variables]

    def restore() -> None:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)

    return restore


def _save_tensors(layer: Any, values: Iterable[Any]) -> Callable[[], None]:
    """Save PyTorch's tensors in a layer, and whether the modules in it are in training mode."""
    import torch

    is_plain = type(layer).__module__.split(".")[0] == "keras" and not isinstance(
        layer, keras.layers.TorchModuleWrapper
    )
    modules = [layer] if is_plain else list(layer.modules())
    modes = [(module, module.training) for module in modules]
    held = [x for module in modules for x in module.buffers(recurse=False)]
    held += [x for x in leaves(list(values)) if torch.is_tensor(x)]
    tensors = [(x, x._version, x.detach().clone()) for x in held]

    def restore() -> None:
        with torch.no_grad():
            for tensor, version, value in tensors:
                if tensor._version != version:
                    tensor.copy_(value)
        for module, mode in modes:
            if module.training != mode:
                module.training = mode

    return restore


def save_native_generator() -> Callable[[], None]:
    """Return what puts back the backend's own generator of random numbers; PyTorch's alone."""
    if keras.backend.backend() != "torch":
        return lambda: None
    import torch

    state = torch.get_rng_state()
    on_device = torch.cuda.get_rng_state() if torch.cuda.is_available() else None

    def restore() -> None:
        torch.set_rng_state(state)
        if on_device is not None:
            torch.cuda.set_rng_state(on_device)

    return restore


class Runner:
    """Runs a function on batches: compiled where the backend compiles, without any trace.

    No variable of Keras's changes, whatever the function assigns. It is traced at the first call
    for each shape of input; what the backend refuses to trace runs eagerly from then on.

    Args:
        function: Called on tensors, returns a structure of tensors.
        model: The model that the function calls: its variables are those that the function reads.
    """

    def __init__(self, function: Callable[[Any], Any], model: keras.Model) -> None:
        self._model = weakref.ref(model)  # which may be let go of, where the function lets it
        self._inner_layers = held_layers(model)[1:]
        self._eager = _stateless(function)
        compiler = _COMPILERS[keras.backend.backend()]
        self._run, self._untraceable = compiler(function, self.find_layers)

    def find_layers(self) -> list[keras.Layer]:
        """Return every layer that the function may call."""
        model = self._model()
        return self._inner_layers if model is None else [model, *self._inner_layers]

    def __call__(self, batch: Any) -> Any:
        """Return what the function returns for a batch, as NumPy arrays."""
        if writes_in_place():
            # Code may write into its inputs, whose memory the user's arrays would share.
            batch = _map(np.array, batch)
        batch = _map(keras.ops.convert_to_tensor, batch)
        try:
            outputs = self._run(batch)
        except self._untraceable:
            if self._run is self._eager:
                raise
            self._run = self._eager
            outputs = self._run(batch)
        return _map(_to_array, outputs)


def untraceable_errors() -> tuple[type[Exception], ...]:
    """Return what is raised by code that the backend cannot trace, but can run on values."""
    if keras.backend.backend() == "jax":
        import jax

        # The second is what becomes of the first where Keras adds its own words to it.
        return (jax.errors.JAXTypeError, AttributeError)
    if keras.backend.backend() == "tensorflow":
        # Of code that asks a symbolic tensor for a truth value, an array, or `.numpy()`.
        return (TypeError, NotImplementedError, AttributeError)
    return ()


Compiled = tuple[Callable[[Any], Any], tuple[type[Exception], ...]]
"""A function from tensors to tensors, and what it raises where the backend refuses to trace."""


def _stateless(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def run(batch: Any) -> Any:
        with keras.StatelessScope():
            return function(batch)

    return run


class _ReadingScope(keras.StatelessScope):
    """Lets no variable change, and notes those that are read and have no value of the scope's.

    Layers may read variables that the model does not hold, as those of a layer in a closure.
    """

    def __init__(self, values: Iterable[tuple[keras.Variable, Any]] = ()) -> None:
        super().__init__(state_mapping=list(values))
        self.variables: dict[int, keras.Variable] = {}

    def get_current_value(self, variable: keras.Variable) -> Any:
        value = super().get_current_value(variable)
        # One that is made during the call has no value yet, for which Keras has no public name.
        if value is None and variable._value is not None:
            self.variables[id(variable)] = variable
        return value


Layers = Callable[[], list[keras.Layer]]


def _compile_on_tensorflow(function: Callable[[Any], Any], _: Layers) -> Compiled:
    import tensorflow as tf

    compiled = tf.function(_stateless(function), autograph=False, reduce_retracing=True)

    def run(batch: Any) -> Any:
        with _without_retracing_warnings():
            try:
                return compiled(batch)
            except ValueError as error:
                if "scope name" not in str(error):
                    raise
                # Of a layer named "a:1", for which TensorFlow's graphs have no name.
                raise TypeError(str(error)) from error

    return run, untraceable_errors()


def _compile_on_jax(function: Callable[[Any], Any], find_layers: Layers) -> Compiled:
    """Compile without Keras's `predict_on_batch`.

    On JAX that takes the arrays of all variables away and puts others in their place when it is
    done, so that another thread which uses the model meanwhile finds nothing.
    """
    import jax

    not_held: dict[int, keras.Variable] = {}

    def compute(values: Any, batch: Any) -> Any:
        with _ReadingScope(zip(variables(), values, strict=True)) as scope:
            outputs = function(batch)
        not_held.update(scope.variables)
        return outputs

    def variables() -> list[keras.Variable]:
        held = {id(v): v for layer in find_layers() for v in layer.variables}
        return list((held | not_held).values())

    compiled = jax.jit(compute)

    def run(batch: Any) -> Any:
        known = len(not_held)
        outputs = compiled([variable.value for variable in variables()], batch)
        if len(not_held) > known:  # JAX made constants of them: trace again with them as arguments
            outputs = compiled([variable.value for variable in variables()], batch)
        return outputs

    return run, untraceable_errors()


def _prepare_on_torch(function: Callable[[Any], Any], find_layers: Layers) -> Compiled:
    """Copy what shares its memory with a weight, or with another output."""
    weights = {_memory(v.value) for layer in find_layers() for v in layer.variables}

    def run(batch: Any) -> Any:
        with _without_gradients():
            with _ReadingScope() as scope:
                outputs = function(batch)
            memories = weights | {_memory(v.value) for v in scope.variables.values()}

            def own(tensor: Any) -> Any:
                memory = _memory(tensor)
                is_shared = memory in memories
                memories.add(memory)
                return tensor.clone() if is_shared else tensor

            return _map(own, outputs)

    return run, ()


def _memory(tensor: Any) -> int:
    return int(tensor.untyped_storage().data_ptr())


_COMPILERS: dict[str, Callable[..., Compiled]] = {
    "tensorflow": _compile_on_tensorflow,
    "jax": _compile_on_jax,
    "torch": _prepare_on_torch,
}


def _map(function: Callable[[Any], Any], structure: Any) -> Any:
    """Return a structure of the same form, as `keras.tree.map_structure` does.

    On PyTorch that leaves cycles of references behind, which hold each batch until Python next
    collects its garbage.
    """
    if isinstance(structure, dict):
        return {key: _map(function, value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        items = [_map(function, item) for item in structure]
        if hasattr(structure, "_fields"):
            return type(structure)(*items)
        return items if isinstance(structure, list) else tuple(items)
    return function(structure)


def _to_array(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@contextmanager
def _without_retracing_warnings() -> Iterator[None]:
    """Hold back one message of TensorFlow's logger.

    TensorFlow counts the tracings of all functions that share their code as those of one function,
    and advises against them from the fifth on. Each runner is traced once, as it has to be.
    """

    def is_other(message: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in message.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)
