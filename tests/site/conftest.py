"""The built site, a server for it on this machine alone, and tabs of a browser."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")


ALL_PICTURES = """async () => {
  for (const image of document.images) image.loading = "eager";
  const loaded = (image) => image.complete || new Promise((resolve) => {
    image.addEventListener("load", resolve);
    image.addEventListener("error", resolve);
  });
  await Promise.all([...document.images].map(loaded));
}"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files as they are now, and says nothing."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Visit:
    """A page as it was seen.

    Args:
        address: Where in the site it is; the home page is "".
        view: "desk", wide and light, or "phone", narrow and dark.
        troubles: Errors in the console, requests that failed or went elsewhere.
        seen: What `look.js` returns.
    """

    address: str
    view: str
    troubles: tuple[str, ...]
    seen: dict[str, Any]


class Tab:
    """A tab of the browser that looks at the pages of one server."""

    def __init__(self, browser: Any, root: str, view: str) -> None:
        size = {"desk": (1280, 900), "phone": (360, 740)}[view]
        scheme = {"desk": "light", "phone": "dark"}[view]
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
        )
        context.set_default_timeout(120_000)
        self.page = context.new_page()
        self.root, self.view = root, view
        self.troubles: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("request", self._watch)
        self.page.on("requestfailed", self._miss)
        self.page.on("response", self._check)

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"{message.type}: {message.text}")

    def _watch(self, request: Any) -> None:
        if not request.url.startswith((self.root, "data:", "blob:")):
            self.troubles.append(f"asks elsewhere: {request.url}")

    def _miss(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # by the tab that goes on to the next page
            self.troubles.append(f"{request.failure}: {request.url}")

    def _check(self, response: Any) -> None:
        if response.status >= 400:
            self.troubles.append(f"{response.status} {response.url}")

    def visit(self, address: str) -> Visit:
        """Open a page and look at it."""
        self.troubles.clear()
        self.page.goto(self.root + address, wait_until="load")
        self.page.evaluate(ALL_PICTURES)  # also those further down, and those of the other scheme
        seen = self.page.evaluate(LOOK)
        return Visit(address, self.view, tuple(self.troubles), seen)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site: `KERASVIZ_SITE`, or a new one."""
    given = os.environ.get("KERASVIZ_SITE")
    if given:
        return Path(given)
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="session")
def serve():
    """Return a function that serves a folder and returns its address."""
    servers = []

    def start(folder: Path) -> str:
        handler = functools.partial(Handler, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def open_tab(browser: Any):
    """Return a function that opens a tab for the pages of a server."""
    return functools.partial(Tab, browser)


@pytest.fixture(scope="session")
def addresses(site: Path) -> list[str]:
    """Return the address of every page, the home page as ""."""
    folders = [path.parent.relative_to(site).as_posix() for path in site.rglob("index.html")]
    return sorted("" if folder == "." else f"{folder}/" for folder in folders)


# With `-n 2 --dist=loadgroup` each process has one of the two, and looks at each page once.
VIEWS = [pytest.param(view, marks=pytest.mark.xdist_group(view)) for view in ("desk", "phone")]


@pytest.fixture(scope="session", params=VIEWS)
def visits(
    request: pytest.FixtureRequest, site: Path, serve, open_tab, addresses: list[str]
) -> list[Visit]:
    """Look at every page, on a desk in light colours or on a phone in dark ones."""
    tab = open_tab(serve(site), request.param)
    return [tab.visit(address) for address in addresses]
