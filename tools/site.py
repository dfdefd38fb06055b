"""What MkDocs has to be told of this repository: `make docs`, mkdocs.yml.

The pages are written for readers of the repository, and link to files outside docs/. On the site
the four pages of the root stand below project/, and source files below source/, as plain text, so
that a browser shows them. A link to a file that does not exist fails the build.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page


ROOT = Path(__file__).parents[1]
ROOT_PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")
_ROW = re.compile(r"^\|.*$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")
_FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what the pages link to outside docs/."""
    for name in ROOT_PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, f"project/{name}", content=text))
    for file in files.documentation_pages():
        for target in _outside(file.src_uri, file.content_string):
            place = _on_site(target)
            if not (ROOT / target).exists():
                raise PluginError(f"{file.src_uri}: there is no {target}")
            if files.get_file_from_path(place) is None:
                files.append(File.generated(config, place, content=_content(target)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to where things stand on the site."""
    del config, files
    here = page.file.src_uri

    def moved(link: re.Match[str]) -> str:
        place = _on_site(_target(here, link[1]))
        return posixpath.relpath(place, posixpath.dirname(here) or ".") + (link[2] or "")

    return _outside_fences(markdown, lambda text: _plain_bars(_LINK.sub(moved, text)))


def _outside(src_uri: str, markdown: str) -> set[str]:
    """Name the files and folders outside docs/ that a page links to, but for the root's pages."""
    found: set[str] = set()

    def note(text: str) -> str:
        found.update(_target(src_uri, link) for link, _ in _LINK.findall(text))
        return text

    _outside_fences(markdown, note)
    return {each for each in found if not each.startswith("docs/") and each not in ROOT_PAGES}


def _outside_fences(markdown: str, change: Callable[[str], str]) -> str:
    parts, end = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [change(markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, change(markdown[end:])])


def _plain_bars(text: str) -> str:
    r"""GitHub wants `a\|b` in a table's code, and shows a|b; Python-Markdown would show the \."""
    return _ROW.sub(lambda row: _CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0]), text)


def _target(src_uri: str, link: str) -> str:
    """Say where a link leads, as a path of the repository."""
    folder = "" if src_uri.startswith("project/") else f"docs/{posixpath.dirname(src_uri)}"
    return posixpath.normpath(posixpath.join(folder, link))


def _on_site(target: str) -> str:
    if target in ROOT_PAGES:
        return f"project/{target}"
    return target.removeprefix("docs/") if target.startswith("docs/") else f"source/{target}.txt"


def _content(target: str) -> str:
    """Give a file's text; of a folder the names in it."""
    path = ROOT / target
    if not path.is_dir():
        return path.read_text(encoding="utf-8")
    names = (each.name for each in path.iterdir() if each.name != "__pycache__")
    return "\n".join([f"{target}/", *(f"  {name}" for name in sorted(names)), ""])
