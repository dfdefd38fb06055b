"""What the settings say about every mail."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.mail.dkim import NOBODY, Signers


#: More would not fit back into the document, where each stands again in `delivery.info`.
MAX_RECIPIENTS = 10_000


@dataclass(frozen=True, slots=True)
class Defaults:
    """`sender` and `reply_to` are addresses, with or without a name.

    `namespace` ("database.collection") tells mails apart whose documents have the same `_id` in
    different collections; it goes, hashed, into the Message-ID.
    """

    sender: str
    reply_to: str | None = None
    namespace: str = ""
    #: The transport they are for, and all there are.
    transport: str = "default"
    transports: tuple[str, ...] = ("default",)
    #: Whether it is SendGrid's, which writes the mails itself.
    letters: bool = False
    #: Those who sign the mails, by their From.
    signers: Signers = NOBODY
    max_recipients: int = MAX_RECIPIENTS
    #: Of the whole mail; None: no limit.
    max_message_bytes: int | None = None
    #: Whether a mail with HTML alone gets a text made of it.
    text_from_html: bool = False
    #: Whether the rules of `<style>` are written to the elements.
    inline_css: bool = False
