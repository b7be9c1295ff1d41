"""The chapter as one HTML page: a table of contents, and every picture under its heading."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

KINDS = {".png": "image/png", ".gif": "image/gif"}
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
img { background: #fff; display: block; height: auto; max-width: 100%; }
pre { overflow-x: auto; }
section { margin-top: 3rem; }
@media print { section { break-inside: avoid; } }
"""


class Section(NamedTuple):
    """One file of the chapter.

    Args:
        part: The part of the chapter that it belongs to.
        heading: What it shows.
        path: A picture, or a text.
    """

    part: str
    heading: str
    path: Path


def chapter_page(title: str, introduction: str, sections: Sequence[Section]) -> str:
    """Return the page, which holds the files themselves and loads nothing.

    Args:
        title: Its title.
        introduction: The paragraph before the table of contents.
        sections: The files, in the order of the chapter.
    """
    digest = base64.b64encode(hashlib.sha256(STYLE.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            "<main>",
            f"<h1>{html.escape(title)}</h1>",
            f"<p>{html.escape(introduction)}</p>",
            '<nav aria-label="Contents">',
            *_contents(sections),
            "</nav>",
            *map(_section, sections),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _contents(sections: Sequence[Section]) -> list[str]:
    """Return the table of contents, a list for each part."""
    lines = []
    for part in dict.fromkeys(section.part for section in sections):
        lines += [f"<h2>{html.escape(part)}</h2>", "<ol>"]
        lines += [
            f'<li><a href="#{section.path.stem}">{html.escape(section.heading)}</a></li>'
            for section in sections
            if section.part == part
        ]
        lines.append("</ol>")
    return lines


def _section(section: Section) -> str:
    heading = html.escape(section.heading)
    content = section.path.read_bytes()
    if section.path.suffix in KINDS:
        data = base64.b64encode(content).decode("ascii")
        body = f'<img alt="{heading}" src="data:{KINDS[section.path.suffix]};base64,{data}">'
    else:
        body = f"<pre>{html.escape(content.decode('utf-8'))}</pre>"
    return f'<section id="{section.path.stem}">\n<h3>{heading}</h3>\n{body}\n</section>'
