"""Who is told of mails, and what others may ask a process."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from config.events import EventTypes
from config.fields import (
    EventsSecret,
    EventsUrl,
    EventTypesList,
    FunctionName,
    HttpUrl,
    PortRange,
)


class Telling(BaseModel):
    """EVENTS_SECRET to OTEL_EXPORTER_OTLP_ENDPOINT."""

    # Who is told of every state a mail comes to.
    events_secret: EventsSecret = Field(
        default=None, examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]
    )
    events_handler: FunctionName | None = None
    events_url: EventsUrl = Field(default=None, examples=["https://example.com/hooks/mail"])
    events_types: EventTypesList = Field(default=EventTypes(), examples=["onSuccess,onError"])

    # What others may ask a process.
    metrics_port: PortRange = Field(default=None, examples=["9400", "9400-9409"])
    metrics_host: Annotated[str, Field(min_length=1)] = Field(
        default="127.0.0.1", examples=["10.0.0.5"]
    )
    #: How long a loop may not come by before the process ends; 0: nobody looks.
    watchdog_seconds: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=300, examples=["300"]
    )
    otel_exporter_otlp_endpoint: HttpUrl | None = Field(
        default=None, examples=["http://127.0.0.1:4318"]
    )

    @field_validator("events_url")
    @classmethod
    def _one_receiver_who_can_trust(
        cls, value: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        if value is None:
            return value
        if info.data.get("events_handler") is not None:
            raise ValueError("and EVENTS_HANDLER exclude each other")
        if info.data.get("events_secret", value) is None:  # a wrong one has its own line
            raise ValueError("needs EVENTS_SECRET, with which events are signed")
        return value
