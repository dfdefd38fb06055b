"""Documents of TEMPLATES_COLLECTION → the message of a mail.

rendering        one mail's message, all problems at once
  attachments    their fields, each a template of its own
library          all templates at one moment
  template       one document: its fields, compiled when first used
faults           what is wrong with a template, in words for its author

Nothing here asks MongoDB: `tasks.gathering.templates` keeps the library true.
"""

from __future__ import annotations

from tasks.mail.templates.library import Library
from tasks.mail.templates.rendering import render


__all__ = ["Library", "render"]
