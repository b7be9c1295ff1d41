"""Pages in a browser without a network that hears when anything goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEAR = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) =>
        window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
    window.shift = 0;
    new PerformanceObserver((list) =>
        list.getEntries().forEach((entry) => { window.shift += entry.value; })
    ).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture
def open_page(browser: Any):
    """Return a function that opens a file; nothing may fail, ask elsewhere or be forbidden."""
    troubles: list[str] = []
    pages: list[Any] = []

    def start(
        path: Path,
        address: str = "",
        *,
        width: int = 1280,
        functions: dict[str, Callable[..., Any]] | None = None,
        **options: Any,
    ) -> Any:
        viewport = {"width": width, "height": 800}
        page = browser.new_context(offline=True, viewport=viewport, **options).new_page()
        page.set_default_timeout(60_000)
        page.add_init_script(HEAR)
        for name, function in (functions or {}).items():
            page.expose_function(name, function)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("file:", "data:", "blob:"))
                or troubles.append(f"asks elsewhere: {request.url}")
            ),
        )
        page.goto(path.as_uri() + address)
        page.wait_for_selector("article")
        pages.append(page)
        return page

    yield start
    for page in pages:
        troubles += page.evaluate("window.violations")
        page.context.close()
    assert not troubles
