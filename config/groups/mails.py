"""What the mails say and may hold, who signs them, and who must not get any."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from config.fields import (
    BucketName,
    CollectionName,
    Count,
    Directory,
    DkimDomain,
    DkimSelector,
    Hosts,
    Mailbox,
    PrivateKeyPem,
    Seconds,
)


class Mails(BaseModel):
    """DEFAULT_FROM to SUPPRESS_HARD_BOUNCES."""

    # What the mails say when the document does not.
    default_from: Mailbox = Field(examples=["Example Shop <shop@example.com>"])
    default_reply_to: Mailbox | None = Field(default=None, examples=["help@example.com"])

    #: SMTP servers take 100 to 1000 recipients at once (RFC 5321 4.5.3.1.8).
    max_recipients: Annotated[int, Field(ge=1, le=10_000)] = Field(default=10_000, examples=["500"])
    max_message_bytes: Annotated[int, Field(ge=10_000, le=1_000_000_000)] = Field(
        default=25 * 1024 * 1024, examples=["10240000"]
    )
    text_from_html: bool = Field(default=False, examples=["true"])
    inline_css: bool = Field(default=False, examples=["true"])

    # Who signs them; the keys of other domains are variables of other names.
    dkim_domain: DkimDomain | None = None
    dkim_selector: DkimSelector | None = Field(default=None, validate_default=True)
    #: PEM text, or the path of a file with it.
    dkim_private_key: PrivateKeyPem | None = Field(default=None, validate_default=True)

    # What documents may refer to.
    users_collection: CollectionName | None = Field(default=None, examples=["users"])
    attachment_root: Directory | None = Field(default=None, examples=["/srv/attachments"])
    attachment_hosts: Hosts | None = Field(default=None, examples=["files.example.com"])
    attachment_bucket: BucketName | None = Field(default=None, examples=["fs"])

    # Templates, and what one may cost.
    templates_collection: CollectionName | None = Field(default=None, examples=["templates"])
    template_size: Count = Field(default=1_000_000, examples=["100000"])
    template_tokens: Count = Field(default=250_000, examples=["50000"])
    #: Levels take room on Python's stack.
    template_nesting: Annotated[int, Field(ge=1, le=120)] = Field(default=100, examples=["50"])
    template_partial_depth: Count = Field(default=30, examples=["10"])
    template_steps: Count = Field(default=1_000_000, examples=["100000"])
    template_output_size: Count = Field(default=5_000_000, examples=["1000000"])
    template_seconds: Seconds = Field(default=2, examples=["0.5"])

    # Who must not get any.
    suppressions_collection: CollectionName | None = Field(default=None, examples=["suppressions"])
    suppress_hard_bounces: bool = Field(default=False, examples=["true"])

    @field_validator("dkim_selector", "dkim_private_key")
    @classmethod
    def _dkim_is_whole(cls, value: Any, info: ValidationInfo) -> Any:
        if "dkim_domain" in info.data and (value is None) != (info.data["dkim_domain"] is None):
            raise ValueError(f"{'is needed with' if value is None else 'needs'} DKIM_DOMAIN")
        return value

    @field_validator("suppress_hard_bounces")
    @classmethod
    def _have_somewhere_to_go(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001
        if value and info.data.get("suppressions_collection") is None:
            raise ValueError("needs SUPPRESSIONS_COLLECTION, where the addresses are kept")
        return value
