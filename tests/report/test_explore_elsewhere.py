"""The widget of `explore` outside of Jupyter: a host with nothing but anywidget's protocol."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import kerasviz

pytest.importorskip("anywidget")
display = pytest.importorskip("IPython.display")
# As VS Code does, the host loads the module from a blob, and its own policy forbids all else.
HOST = """<!doctype html><html><head>
<meta http-equiv="Content-Security-Policy" content="default-src 'none';
    script-src 'nonce-host' blob:; style-src 'unsafe-inline'; img-src data: blob:">
<style>body { font: 13px serif; background: #1e1e1e } main { padding: 7px }</style>
</head><body><main>cell</main><div id="output"></div>
<script nonce="host" type="module">
const heard = new Map();
const state = { view: "", _key: "a1" };
const on = (event, listener) => heard.set(event, [...(heard.get(event) ?? []), listener]);
const off = (event, listener) =>
    heard.set(event, (heard.get(event) ?? []).filter((other) => other !== listener));
const call = (event, ...values) => (heard.get(event) ?? []).forEach((x) => x(...values));
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const model = {
    on, off,
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; call(`change:${name}`); },
    save_changes: () => {},
    send: async (message, _callbacks, buffers = []) => {
        const parts = buffers.map((x) => btoa(String.fromCharCode(...new Uint8Array(x))));
        const answer = await window.ask(message, parts);
        if (answer) call("msg:custom", answer.facts, [new DataView(bytes(answer.block).buffer)]);
    },
};
const module = new Blob([await window.source()], { type: "text/javascript" });
const widget = await import(URL.createObjectURL(module));
window.stop = widget.default.render({ model, el: document.getElementById("output") });
</script></body></html>"""


@pytest.fixture
def host(open_page: Any, tmp_path: Path) -> Any:
    """Return a function that shows a widget, and the messages that came from it."""

    def show(widget: Any) -> tuple[Any, list[str]]:
        kinds: list[str] = []

        def ask(message: dict[str, Any], parts: list[str]) -> dict[str, Any] | None:
            kinds.append(message["kind"])
            answers: list[Any] = []
            widget.send = lambda *values: answers.append(values)
            content = {"data": {"method": "custom", "content": message}}
            buffers = [base64.b64decode(part) for part in parts]
            widget.comm.handle_msg({"content": content, "buffers": buffers})
            if not answers:
                return None
            ((facts, (block,)),) = answers
            return {"facts": facts, "block": base64.b64encode(block).decode()}

        path = tmp_path / "host.html"
        path.write_text(HOST, encoding="utf-8")
        functions = {"ask": ask, "source": lambda: widget.get_state()["_esm"]}
        return open_page(path, functions=functions), kinds

    return show


@pytest.mark.page
def test_explore_needs_nothing_but_the_protocol_of_anywidget(host: Any, tmp_path: Path) -> None:
    model = kerasviz.fashion_mnist.load_model()
    images, labels = kerasviz.fashion_mnist.load_samples()
    page, kinds = host(kerasviz.explore(model, images, labels=labels))
    page.locator("nav [data-address=conv2d]").click()
    page.wait_for_selector("article[data-address=conv2d] [data-kind=maps][data-sample='0']")
    assert kinds[0] == "facts"
    assert {"kernels", "maps"} < set(kinds)
    # A dark host has a dark page, and its own style is as it was.
    assert page.locator(".kerasviz-explore").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.querySelector('main')).padding") == "7px"
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "13px"
    shoe = tmp_path / "shoe.png"
    Image.fromarray(np.zeros((4, 4), "uint8")).save(shoe)
    page.locator("input[type=file]").set_input_files(shoe)
    page.wait_for_selector("article.sample >> text=sample 10 of 11: shoe.png")
    # Nothing of it is left when the host takes it away.
    page.evaluate("window.stop()")
    assert page.locator("head style").count() == 1


def test_explore_asks_colab_for_its_widgets(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    colab = ModuleType("google.colab.output")
    colab.enable_custom_widget_manager = lambda: calls.append("enabled")  # type: ignore[attr-defined]
    colab._widgets = SimpleNamespace(_installed_url="data:,")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google.colab.output", colab)
    bundles: list[Any] = []
    monkeypatch.setattr(
        display, "display", lambda *args, **options: bundles.append((args, options))
    )
    kerasviz.explore(kerasviz.fashion_mnist.load_model())._ipython_display_()
    assert calls == ["enabled"]
    kind = "application/vnd.jupyter.widget-view+json"
    (bundle,), options = bundles[0]
    assert kind in bundle
    url = options["metadata"][kind]["colab"]["custom_widget_manager"]["url"]
    assert url == "data:,"
