"""Show a session in a notebook: the one module that knows anywidget by name."""

from __future__ import annotations

import base64
import html
import importlib
import uuid
from importlib import resources
from typing import Any

import anywidget
import traitlets

from kerasviz.compute.feature_maps import plan_extraction
from kerasviz.report.notebook.session import Session

MAX_PICTURE = 2_000_000
"""The largest picture of the last view that a notebook keeps, in bytes."""


class Explorer(anywidget.AnyWidget):
    """The page of one model in a notebook; `explore` makes it.

    Attributes:
        view: What is looked at: the address of a layer, `"?sample=3"`, or `""` for the overview. It
            follows the page, and the page follows it.
        inputs: What the model is shown. Set it to look at other inputs.
    """

    _esm = (resources.files("kerasviz.report") / "widget.js").read_text(encoding="utf-8")
    _key: traitlets.Unicode[str, str | bytes] = traitlets.Unicode().tag(sync=True)
    view: traitlets.Unicode[str, str | bytes] = traitlets.Unicode("").tag(sync=True)

    def __init__(self, session: Session) -> None:
        super().__init__(_key=uuid.uuid4().hex)
        self._session = session
        self._still: Any = None
        self.on_msg(self._hear)

    @property
    def inputs(self) -> Any:
        """The inputs in the model's own structure; `None` without inputs."""
        extraction = self._session.extraction
        return None if extraction is None else extraction.batch.packed()

    @inputs.setter
    def inputs(self, inputs: Any) -> None:
        extraction = None
        if inputs is not None:
            extraction = plan_extraction(self._session.model, "*", inputs)
        self._session.use(extraction, None)
        self.send({"event": "inputs"})

    def _hear(self, _widget: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        """Answer a message of the page."""
        if message.get("kind") == "still":
            self._keep(buffers)
            return
        answer = self._session.answer(message, buffers)
        self.send({"id": message.get("id"), **answer.facts}, [answer.block])

    def _keep(self, buffers: list[Any]) -> None:
        """Put a picture of the view into the notebook, for when no kernel is there."""
        if self._still is not None and buffers and len(bytes(buffers[0])) <= MAX_PICTURE:
            self._still.update(_Still(self._key, bytes(buffers[0])))

    def _ipython_display_(self) -> None:
        display: Any = importlib.import_module("IPython.display").display  # it has no types
        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        display(data, metadata=metadata, raw=True)
        self._still = display(_Still(self._key), display_id=True)


class _Still:
    """The last view as a picture, which the page hides as long as it is alive."""

    def __init__(self, key: str, picture: bytes = b"") -> None:
        self.key = key
        self.picture = picture

    def _repr_html_(self) -> str:
        words = "kerasviz: the last view. Run the cell again to explore the model."
        image = ""
        if self.picture:
            data = base64.b64encode(self.picture).decode("ascii")
            image = f'<img alt="The last view" src="data:image/png;base64,{data}">'
        key = html.escape(self.key)
        return f'<div class="kerasviz-still-{key}"><p><em>{words}</em></p>{image}</div>'

    def __repr__(self) -> str:
        return "The last view of kerasviz.explore"
