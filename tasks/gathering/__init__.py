"""What composing a mail needs from elsewhere: asked for before, within a time.

gather      all of it for one mail
users       uid → address
identity    an id, or a string that stands for it
"""

from __future__ import annotations

from tasks.gathering.gather import Gatherer


__all__ = ["Gatherer"]
