"""Handlebars 4, the template language: `compile` a text, `render` it with data.

A template cannot reach Python: it reads keys of maps, indices of lists and lengths, and nothing
else. What it costs is bounded by Limits. This package imports nothing of the application.

template         compile, render, the bounds of both
  lexer          text → tokens                      tokens       the words of the language
  parser         tokens → program                   nodes        what a program consists of
    expressions  what stands inside a tag
  whitespace     lines that only hold tags, ~
  inventory      which fields and partials it names
  compiler       program → closures                 code         closures, to be run
    binding      names → parameters, helpers, fields
    paths        fields, @data, block parameters    output       {{x}}, escaping
    calls        lookup, log, what is no helper     blocks       if, unless, each, with, sections
    partials     {{> x}}, blocks of partials, inline ones
  runtime        what a rendering knows while it runs
values           how JavaScript prints values       access       reading from them
comparing        JavaScript's ==                    data         foreign values → these
limits           the bounds                         errors       TemplateError
"""

from __future__ import annotations

from tasks.mail.handlebars.data import plain
from tasks.mail.handlebars.errors import TemplateError
from tasks.mail.handlebars.limits import Allowance, Limits
from tasks.mail.handlebars.template import Template, compile  # noqa: A004


__all__ = ["Allowance", "Limits", "Template", "TemplateError", "compile", "plain"]
