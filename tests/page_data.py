"""Read what is in a page with nothing but Python's own parsers: not with the code that wrote it."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np


class _Reader(HTMLParser):
    """Collects elements and the text in them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[int, str] = {}
        self.is_open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.is_open = True

    def handle_data(self, data: str) -> None:
        if self.is_open:
            key = len(self.elements) - 1
            self.texts[key] = self.texts.get(key, "") + data

    def handle_endtag(self, _tag: str) -> None:
        self.is_open = False


@dataclass
class PageData:
    """A page: its elements, its facts, and its blocks of values."""

    text: str
    elements: list[tuple[str, dict[str, str | None]]]
    facts: dict[str, Any]
    blocks: dict[str, bytes] = field(default_factory=dict)
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)

    def layer(self, address: str) -> dict[str, Any]:
        (layer,) = (layer for layer in self.facts["layers"] if layer["address"] == address)
        return layer

    def tiles(self, address: str, part: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Return the values of tiles, and the range of each of them."""
        data = self.blocks[self.layer(address)["block"]]
        shape = (part["count"], part["height"], part["width"], part["channels"])
        low, high = (
            np.frombuffer(data, "<f4", part["count"], part["start"] + 4 * i * part["count"])
            for i in range(2)
        )
        start = part["start"] + 12 * part["count"]
        levels = np.frombuffer(data, "uint8", int(np.prod(shape)), start).reshape(shape)
        low, high = (x.reshape(-1, 1, 1, 1).astype("float64") for x in (low, high))
        values = low + (high - low) * (levels - 1.0) / 254
        return np.where(levels == 0, np.nan, values)[..., : part["channels"]], high - low


def read_page(path: Path) -> PageData:
    """Read a page."""
    text = path.read_text(encoding="utf-8")
    reader = _Reader()
    reader.feed(text)
    page = PageData(text=text, elements=reader.elements, facts={})
    for index, (tag, attributes) in enumerate(reader.elements):
        content = reader.texts.get(index, "")
        name = attributes.get("id") or ""
        if name == "facts":
            page.facts = json.loads(content)
        elif name.startswith("block-"):
            page.blocks[name[6:]] = zlib.decompress(base64.b64decode(content))
        elif tag == "script":
            page.scripts.append(content)
        elif tag == "style":
            page.styles.append(content)
    return page
