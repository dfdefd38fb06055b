"""The documentation as a site: `make docs`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


ROOT = Path(__file__).parents[2]
PARTS = (
    *("docs", "tools", "examples", "bench", "tests", "console"),
    *("mkdocs.yml", "Procfile", "LICENSE"),
)
ROOT_PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
#: What a browser fetches by itself; links are for people.
FETCHED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=\"?(https?:[^\"> ]*)")


def build(folder: Path, *edits: tuple[str, str]) -> subprocess.CompletedProcess[str]:
    """Build a copy of the pages, with a text put behind some of them."""
    for name in PARTS:
        folder.joinpath(name).symlink_to(ROOT / name)
    for name in ROOT_PAGES:
        shutil.copy(ROOT / name, folder)
    folder.joinpath("docs").unlink()
    shutil.copytree(ROOT / "docs", folder / "docs")
    for name, text in edits:
        with folder.joinpath(name).open("a", encoding="utf-8") as page:
            page.write(text)
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build"],
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_built_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    """Every link leads somewhere; a reader's browser asks no other server."""
    built = build(tmp_path)

    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    pages = list(tmp_path.glob("site/**/*.html"))
    assert len(pages) > 25
    assert [FETCHED.findall(page.read_text(encoding="utf-8")) for page in pages] == [[]] * len(
        pages
    )
    templates = tmp_path.joinpath("site/templates.html").read_text(encoding="utf-8")
    assert "{{#each tags as |tag i|}}" in templates
    assert tmp_path.joinpath("site/search/search_index.json").exists()
    assert tmp_path.joinpath("site/source/examples/clients/insert.go.txt").exists()


def test_what_is_broken_fails_it(tmp_path: Path) -> None:
    """Links to no page and to no heading, and a page that is not in the navigation, all at once."""
    built = build(
        tmp_path,
        ("docs/index.md", "\n[x](nowhere.md) [y](delivery.md#nowhere)\n"),
        ("README.md", "\n[x](docs/not-there.md)\n"),
        ("docs/forgotten.md", "# No way leads here\n"),
    )

    assert built.returncode != 0
    for each in ("nowhere.md", "#nowhere", "not-there.md", "forgotten.md"):
        assert each in built.stderr


def test_a_link_to_a_file_that_is_gone_fails_it(tmp_path: Path) -> None:
    """Outside docs/, too."""
    built = build(tmp_path, ("docs/index.md", "\n[x](../tests/nowhere.py)\n"))

    assert built.returncode != 0
    assert "there is no tests/nowhere.py" in built.stderr


def test_the_contents_name_every_page() -> None:
    """docs/index.md is what readers have who do not build the site."""
    text = ROOT.joinpath("docs/index.md").read_text(encoding="utf-8")

    for page in ROOT.joinpath("docs").glob("*.md"):
        assert page.name == "index.md" or f"]({page.name}" in text, page.name
