"""`<style>` → `style="…"` on each element, for mail programs that look at nothing else.

Rules that cannot stand on an element (`@media`, `:hover`) stay where they are. No stylesheet is
loaded from anywhere.
"""

from __future__ import annotations

import re

import css_inline


#: css-inline 0.23 goes down the elements by recursion: from about 10,000 inside one another on, it
#: ends the process. `<table><td>` are two tags and four elements.
MAX_TAGS = 3_000
#: Characters, `<style>` left out: the attributes of one element cost their number squared.
MAX_HTML = 500_000
#: Characters of `<style>` × tags, which the result may have, and × characters of HTML, all of which
#: each selector may have to look at. Reaching them takes one or two seconds.
MAX_RESULT, MAX_COMPARISONS = 20_000_000, 1_000_000_000

_START_TAG = re.compile(r"<[A-Za-z]")
_STYLE = re.compile(r"<style\b", re.IGNORECASE)
_STYLES = re.compile(r"<style\b(.*?)(?:</style|\Z)", re.IGNORECASE | re.DOTALL)

_inliner = css_inline.CSSInliner(
    keep_style_tags=True,
    remove_inlined_selectors=True,
    keep_link_tags=True,
    load_remote_stylesheets=False,
)


def inline(html: str) -> str:
    """Write the rules of `<style>` to the elements.

    Raises ValueError for HTML that this would cost too much for, or that cannot be read.
    """
    if not _STYLE.search(html):
        return html
    _check_cost(html)
    try:
        return _inliner.inline(html)
    except css_inline.InlineError as error:
        raise ValueError(f"has CSS that cannot be read: {error}") from error


def _check_cost(html: str) -> None:
    tags = len(_START_TAG.findall(html))
    css = sum(len(style[1]) for style in _STYLES.finditer(html))
    size = len(html) - css
    if tags > MAX_TAGS or size > MAX_HTML:
        limits = f"{MAX_TAGS} and {MAX_HTML}"
        raise ValueError(f"has {tags} tags and {size} characters; INLINE_CSS takes {limits}")
    if tags * css > MAX_RESULT or size * css > MAX_COMPARISONS:
        raise ValueError(f"has {css} characters of CSS for {tags} tags: too much for INLINE_CSS")
