"""A document → a mail, ready for the transport.

compose          the two steps: reading, then writing
  reading        the document, read and checked
    schema       what it may hold               fields             kinds of values, checked
      json_schema  the same, published          bson_schema        the same, for MongoDB
      schema_tree  walking such schemas
    problems     what is wrong with it          deadline           deliverBefore
    recipients   to, cc, bcc → envelope         users              toUids, ccUids, bccUids
    originators  from, replyTo                  gathered           what is needed from elsewhere
    address_list lists of addresses             addresses          one address
    message_id   given, or from the `_id`       custom_headers     the document's own
    list_headers list: how to leave it, its id  status_notification  dsn
    attachments  files → parts                  alternatives, calendar  other forms of the text
      part_reader  what these have in common    raw_part           a part brought whole
      content_encodings  base64, hex, …         media_types        text/csv; charset=utf-8
      elsewhere  files, URLs, GridFS
    filling      what a template gives             templates          TEMPLATES_COLLECTION, rendered
  head           the mail's header
    headers      one header line, folded        encoded_words      RFC 2047
  tree           what stands inside what
    bodies       text and HTML → parts          parts              a part → bytes
  inline_css     <style> → style="…"
  text_from_html for mails without a text       text_writer        words → lines
  dkim           signatures of a finished mail
"""

from __future__ import annotations

from tasks.mail.compose import compose
from tasks.mail.defaults import Defaults
from tasks.mail.dkim import Signers
from tasks.mail.gathered import wanted
from tasks.mail.profiles import Profiles


__all__ = ["Defaults", "Profiles", "Signers", "compose", "wanted"]
