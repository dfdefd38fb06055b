"""What composing a mail needs from elsewhere: asked for before, within a time.

gather        all of it for one mail
users         uid → address
local_files   ATTACHMENT_ROOT
web           ATTACHMENT_HOSTS
  urls        taken apart once
  pinned      to allowed addresses only, under a deadline    resolving   name → addresses
bucket        ATTACHMENT_BUCKET (GridFS)
templates     TEMPLATES_COLLECTION                       template_copy  kept true by a change stream
identity      an id, or a string that stands for it          reading     MongoDB, in time
"""

from __future__ import annotations

from tasks.gathering.gather import Gatherer


__all__ = ["Gatherer"]
