"""Put facts and blocks into one HTML document that runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from collections.abc import Mapping
from importlib import resources
from typing import Any

SCHEMA = 1
"""The form of the facts, which the script checks."""


def write_document(title: str, facts: Mapping[str, Any], blocks: Mapping[str, str]) -> str:
    """Return the document.

    Args:
        title: The title of the page, which is escaped.
        facts: What the script reads, of lists, dicts, text and numbers.
        blocks: Compressed values in base64, by name.
    """
    folder = resources.files("kerasviz.report")
    script = (folder / "page.js").read_text(encoding="utf-8")
    style = (folder / "page.css").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    data = [_data("facts", "application/json", _json({"schema": SCHEMA, **facts}))]
    data += [_data(f"block-{name}", "application/octet-stream", x) for name, x in blocks.items()]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="generator" content="kerasviz">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            '<div id="page"><p>This page needs JavaScript, which is part of it.</p></div>',
            *data,
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _hash(text: str) -> str:
    """Return the source that a policy names a script or a style by."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _data(name: str, kind: str, text: str) -> str:
    """Return an element that holds data, which a browser neither shows nor runs."""
    return f'<script type="{kind}" id="{html.escape(name)}">{text}</script>'


def _json(value: Any) -> str:
    """Return JSON in which nothing ends the element that it is in.

    A name may hold `</script>` or `<!--`; with its brackets spelt out it is the same text, and not
    a tag.
    """
    text = json.dumps(finite(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def finite(value: Any) -> Any:
    """Return the same with text, or `None` for NaN, for numbers that JSON has no form for."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
