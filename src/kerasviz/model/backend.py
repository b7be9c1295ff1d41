"""The one place that knows TensorFlow, JAX and PyTorch by name: traces, compiled runs, state."""

from __future__ import annotations

import inspect
import logging
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Protocol

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


def compiles_for_each_size() -> bool:
    """Whether a compiled function is compiled again for another number of samples."""
    return bool(keras.backend.backend() == "jax")


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


def _layers_of(model: keras.Model) -> Layers:
    """Return a function that returns every layer of a model, and does not keep the model alive."""
    reference, inner_layers = weakref.ref(model), held_layers(model)[1:]

    def layers() -> list[keras.Layer]:
        model = reference()
        return inner_layers if model is None else [model, *inner_layers]

    return layers


class Runner:
    """Runs a function on batches: compiled where the backend compiles, without any trace.

    No variable of Keras's changes, whatever the function assigns. It is traced at the first call
    for each shape of input; what the backend refuses to trace runs eagerly from then on.

    Args:
        function: Called on tensors, returns a structure of tensors.
        model: The model that the function calls: its variables are those that the function reads.
    """

    def __init__(self, function: Callable[[Any], Any], model: keras.Model) -> None:
        self._eager = _stateless(function)
        compiler = _COMPILERS[keras.backend.backend()]
        self.find_layers: Layers = _layers_of(model)
        self._run, self._untraceable = compiler(function, self.find_layers)

    def __call__(self, batch: Any, *, copy: bool = True) -> Any:
        """Return what the function returns for a batch, as NumPy arrays.

        Args:
            batch: A structure of arrays.
            copy: Whether the arrays are the caller's own. Otherwise they are for reading only,
                and may share the memory of the backend's tensors.
        """
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
        return _map(_to_array if copy else _to_view, outputs)


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


class _Variables:
    """The variables that a function reads: those of layers, and those that it was seen to read.

    JAX takes their values as arguments; it would make constants of what it is not given.
    """

    def __init__(self, find_layers: Layers) -> None:
        self._find_layers = find_layers
        self._not_held: dict[int, keras.Variable] = {}

    def all(self) -> list[keras.Variable]:
        held = {id(v): v for layer in self._find_layers() for v in layer.variables}
        return list((held | self._not_held).values())

    def values(self) -> list[Any]:
        return [variable.value for variable in self.all()]

    @contextmanager
    def having(self, values: Any) -> Iterator[None]:
        """Let code read these values, and note what else it reads."""
        # Others that were read meanwhile come last: they have no values in this trace.
        variables = self.all()[: len(values)]
        with _ReadingScope(zip(variables, values, strict=True)) as scope:
            yield
        self._not_held.update(scope.variables)

    def call(self, compiled: Callable[..., Any], *args: Any) -> Any:
        """Call a compiled function on the values, a second time where it has read others."""
        count = len(self._not_held)
        outputs = compiled(self.values(), *args)
        if len(self._not_held) > count:
            outputs = compiled(self.values(), *args)
        return outputs


def _compile_on_jax(function: Callable[[Any], Any], find_layers: Layers) -> Compiled:
    """Compile without Keras's `predict_on_batch`.

    On JAX that takes the arrays of all variables away and puts others in their place when it is
    done, so that another thread which uses the model meanwhile finds nothing.
    """
    import jax

    variables = _Variables(find_layers)

    def compute(values: Any, batch: Any) -> Any:
        with variables.having(values):
            return function(batch)

    compiled = jax.jit(compute)

    def run(batch: Any) -> Any:
        return variables.call(compiled, batch)

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


Mark = Callable[[Any, Any], Any]
"""Takes a key and a tensor, and returns an equal tensor, at which the gradient is taken."""


class Gradients(NamedTuple):
    """Scores and their gradients, all in float32.

    Args:
        scores: `(samples,)`.
        marked: What was marked, by its key.
        of_marked: The gradients with respect to that.
        of_inputs: Those with respect to each input; `None` for integers, or where not asked for.
    """

    scores: np.ndarray
    marked: dict[Any, np.ndarray]
    of_marked: dict[Any, np.ndarray]
    of_inputs: list[np.ndarray | None]


class Differentiator:
    """Runs a function on batches with the gradients of its scores, compiled where a `Runner` is.

    The gradient with respect to a tensor inside is taken at a fresh copy of it. A layer that passes
    its input on returns the very same tensor, whose other uses would count as well.

    Args:
        function: Called on a batch and on a `Mark`, returns scores `(samples,)`.
        model: The model that the function calls.
    """

    def __init__(self, function: Callable[[Any, Mark], Any], model: keras.Model) -> None:
        engine = _ENGINES[keras.backend.backend()]
        self.find_layers: Layers = _layers_of(model)
        self._engine: _Engine = engine(function, self.find_layers)

    def __call__(self, batch: Any, *, by_inputs: bool = True) -> Gradients:
        """Return the scores of a batch, and their gradients.

        Args:
            batch: A dict of arrays whose first axis is the samples; the inputs are the leaves of
                `"inputs"`.
            by_inputs: Whether to take the gradients with respect to the inputs, too.
        """
        batch, floats = self._prepare(batch, by_inputs)
        scores, marked, of_marked, of_floats = _map(_to_float, self._engine.run(batch, floats))
        count = len(keras.tree.flatten(batch["inputs"]))
        of_inputs: list[np.ndarray | None] = [None] * count
        for index, gradient in zip(floats, of_floats, strict=True):
            of_inputs[index] = gradient
        return Gradients(scores, marked, of_marked, of_inputs)

    def is_connected(self, batch: Any, key: Any, *, by_inputs: bool = True) -> bool:
        """Whether a gradient reaches what was marked by a key, or an input by its index.

        Where none does, its gradient is 0 as that of a value that happens not to count. To be
        called after the same batch was run.
        """
        batch, floats = self._prepare(batch, by_inputs)
        return self._engine.is_connected(batch, floats, key)

    @staticmethod
    def _prepare(batch: Any, by_inputs: bool) -> tuple[Any, list[int]]:
        if writes_in_place():
            batch = _map(np.array, batch)  # since code may write into its inputs
        batch = _map(keras.ops.convert_to_tensor, batch)
        floats = [
            index
            for index, x in enumerate(keras.tree.flatten(batch["inputs"]))
            if by_inputs and keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype))
        ]
        return batch, floats


def _to_float(tensor: Any) -> np.ndarray:
    tensor = keras.ops.cast(tensor, "float32")
    if keras.backend.backend() == "tensorflow":
        return np.asarray(tensor)  # Keras's own way copies, and gradients are large
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _replace_leaves(structure: Any, leaves_by_index: dict[int, Any]) -> Any:
    flat = keras.tree.flatten(structure)
    for index, leaf in leaves_by_index.items():
        flat[index] = leaf
    return keras.tree.pack_sequence_as(structure, flat)


class _Engine(Protocol):
    """How a backend differentiates."""

    def __init__(self, function: Callable[[Any, Mark], Any], find_layers: Layers) -> None: ...

    def run(self, batch: Any, floats: list[int]) -> Any:
        """Return scores, marked tensors, their gradients, and those of the inputs in `floats`."""

    def is_connected(self, batch: Any, floats: list[int], key: Any) -> bool:
        """Whether a gradient reaches a marked tensor or an input, for a batch that was run."""


class _OnTensorFlow:
    def __init__(self, function: Callable[[Any, Mark], Any], _: Layers) -> None:
        import tensorflow as tf

        self._function = function
        # By whether the gradients of the inputs were taken, for which it is traced again.
        self._unconnected: dict[tuple[int, ...], set[Any]] = {}
        self._compiled = tf.function(self._step, autograph=False, reduce_retracing=True)
        self._is_refused = False
        self._forms: set[Any] = set()

    def _step(self, batch: Any, floats: list[int]) -> Any:
        import tensorflow as tf

        marked: dict[Any, Any] = {}
        inputs = keras.tree.flatten(batch["inputs"])
        with tf.GradientTape(watch_accessed_variables=False) as tape, keras.StatelessScope():
            sources = [inputs[index] for index in floats]
            tape.watch(sources)

            def mark(key: Any, x: Any) -> Any:
                marked[key] = tf.identity(x)
                tape.watch(marked[key])
                return marked[key]

            scores = tf.cast(self._function(batch, mark), "float32")
            total = tf.reduce_sum(scores)
        of_marked, of_sources = tape.gradient(total, (marked, sources))
        keyed = {**of_marked, **dict(zip(floats, of_sources, strict=True))}
        unconnected = {key for key, gradient in keyed.items() if gradient is None}
        self._unconnected[tuple(floats)] = unconnected
        of_marked = {k: _or_zeros(of_marked[k], x) for k, x in marked.items()}
        of_sources = [_or_zeros(g, x) for g, x in zip(of_sources, sources, strict=True)]
        return scores, marked, of_marked, of_sources

    def run(self, batch: Any, floats: list[int]) -> Any:
        if not self._is_refused:
            try:
                with _without_retracing_warnings():
                    self._trace_for_any_size(batch, floats)
                    return self._compiled(batch, floats)
            except untraceable_errors():
                self._is_refused = True  # code that asks a tensor for its value runs eagerly
        return self._step(batch, floats)

    def _trace_for_any_size(self, batch: Any, floats: list[int]) -> None:
        """Trace once for any number of samples, so that another number traces nothing."""
        import tensorflow as tf

        form = (
            tuple((tuple(x.shape[1:]), x.dtype) for x in keras.tree.flatten(batch)),
            tuple(floats),
        )
        if form in self._forms:
            return
        self._forms.add(form)
        specs = _map(lambda x: tf.TensorSpec([None, *x.shape[1:]], x.dtype), batch)
        # Code that needs the number may raise anything; the plain call then traces it for each one.
        with suppress(Exception):
            self._compiled.get_concrete_function(specs, floats)

    def is_connected(self, _: Any, floats: list[int], key: Any) -> bool:
        return key not in self._unconnected[tuple(floats)]


def _or_zeros(gradient: Any, x: Any) -> Any:
    return keras.ops.zeros_like(x) if gradient is None else gradient


class _OnJax:
    def __init__(self, function: Callable[[Any, Mark], Any], find_layers: Layers) -> None:
        import jax

        self._function = function
        self._variables = _Variables(find_layers)
        self._compiled = jax.jit(self._step, static_argnums=2)

    def _step(self, values: Any, batch: Any, floats: tuple[int, ...]) -> Any:
        import jax

        def forward(added: dict[Any, Any], sources: list[Any]) -> Any:
            marked: dict[Any, Any] = {}
            inputs = dict(zip(floats, sources, strict=True))

            def mark(key: Any, x: Any) -> Any:
                marked[key] = x
                return x + added[key].astype(x.dtype) if key in added else x

            with self._variables.having(values):
                own = {**batch, "inputs": _replace_leaves(batch["inputs"], inputs)}
                scores = self._function(own, mark).astype("float32")
            return scores.sum(), (scores, marked)

        flat = keras.tree.flatten(batch["inputs"])
        sources = [flat[index] for index in floats]
        # The shapes of the marked tensors, at which zeros are added to take the gradient.
        shapes = jax.eval_shape(lambda x: forward({}, x)[1][1], sources)
        zeros = {key: jax.numpy.zeros(x.shape, "float32") for key, x in shapes.items()}
        differentiate = jax.grad(forward, argnums=(0, 1), has_aux=True)
        gradients, (scores, marked) = differentiate(zeros, sources)
        return scores, marked, *gradients

    def run(self, batch: Any, floats: list[int]) -> Any:
        try:
            return self._variables.call(self._compiled, batch, tuple(floats))
        except untraceable_errors() as error:
            raise ValueError(
                "`model` must be one that JAX can trace to be differentiated, and a layer asks for "
                f"values while it runs. {type(error).__name__}: {str(error).splitlines()[0]}"
            ) from error

    def is_connected(self, batch: Any, floats: list[int], key: Any) -> bool:
        """Whether a gradient depends on anything: where none arrives, JAX makes it of zeros."""
        import jax

        def gradient(values: Any, batch: Any) -> Any:
            _, _, of_marked, of_sources = self._step(values, batch, tuple(floats))
            if key in floats:
                return of_sources[floats.index(key)]
            return of_marked[key]

        jaxpr = jax.make_jaxpr(gradient)(self._variables.values(), batch).jaxpr
        reached = set(map(id, jaxpr.invars))
        for equation in jaxpr.eqns:
            if any(id(variable) in reached for variable in equation.invars):
                reached.update(map(id, equation.outvars))
        return id(jaxpr.outvars[0]) in reached


class _OnTorch:
    def __init__(self, function: Callable[[Any, Mark], Any], _: Layers) -> None:
        self._function = function
        self._unconnected: set[Any] = set()

    def run(self, batch: Any, floats: list[int]) -> Any:
        import torch

        marked: dict[Any, Any] = {}
        flat = keras.tree.flatten(batch["inputs"])
        sources = [flat[index].detach().requires_grad_() for index in floats]

        def mark(key: Any, x: Any) -> Any:
            marked[key] = x if x.requires_grad else x.detach().requires_grad_()
            marked[key] = marked[key].view_as(marked[key])
            return marked[key].clone()  # which code may write into

        with torch.enable_grad(), keras.StatelessScope():
            copies = {index: x.clone() for index, x in zip(floats, sources, strict=True)}
            own = {**batch, "inputs": _replace_leaves(batch["inputs"], copies)}
            scores = self._function(own, mark).to(torch.float32)
            keyed = {**marked, **dict(zip(floats, sources, strict=True))}
            self._unconnected = set(keyed)
            gradients = [None] * len(keyed)
            if scores.requires_grad and keyed:
                tensors = list(keyed.values())
                gradients = torch.autograd.grad(scores.sum(), tensors, allow_unused=True)
        reached = {k: g for k, g in zip(keyed, gradients, strict=True) if g is not None}
        self._unconnected -= set(reached)
        filled = {k: reached[k] if k in reached else torch.zeros_like(x) for k, x in keyed.items()}
        values = {key: x.detach() for key, x in marked.items()}
        of_marked = {key: filled[key] for key in marked}
        return scores.detach(), values, of_marked, [filled[index] for index in floats]

    def is_connected(self, _: Any, __: list[int], key: Any) -> bool:
        return key not in self._unconnected


_ENGINES: dict[str, type[_Engine]] = {
    "tensorflow": _OnTensorFlow,
    "jax": _OnJax,
    "torch": _OnTorch,
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


def _to_view(tensor: Any) -> np.ndarray:
    """Return an array that shares a tensor's memory where it can."""
    if keras.backend.backend() == "tensorflow" and type(tensor).__name__ == "EagerTensor":
        return np.asarray(tensor)
    is_plain = keras.backend.backend() == "torch" and keras.backend.is_float_dtype(
        keras.backend.standardize_dtype(tensor.dtype)
    )
    if is_plain and tensor.device.type == "cpu" and tensor.element_size() > 2:
        return np.asarray(tensor.detach())
    return _to_array(tensor)


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
