"""Every setting, read once from the environment and `.env`, frozen, secrets hidden."""

from __future__ import annotations

import functools
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from pymongo.uri_parser import parse_uri

from config import smtp
from config.tls import TlsOptions


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """One attribute per environment variable; `.env.example` documents each.

    Raises pydantic.ValidationError; `config.errors` turns that into one line per variable.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    # Where things are.
    mongodb_uri: SecretStr
    mongodb_database: str | None = None
    mail_collection: str = "mail"
    celery_broker_url: SecretStr
    #: Goes before every key in Redis, so that several applications can share one server.
    broker_prefix: str = "mailtrigger:"
    smtp_connection_uri: SecretStr
    smtp_password: SecretStr | None = None
    tls_options: TlsOptions = TlsOptions()

    # What the mails say when the document does not.
    default_from: str
    default_reply_to: str | None = None

    # How long things last.
    ttl_expire_type: Literal["never", "hour", "day", "week", "month", "year"] = "never"
    ttl_expire_value: Annotated[int, Field(ge=1, le=36_500)] = 1
    lease_seconds: Annotated[float, Field(ge=5, le=3600)] = 60
    lease_expired: Literal["error", "retry"] = "error"
    sweep_seconds: Annotated[float, Field(ge=0.1, le=600)] = 5

    # How much at once.
    batch_size: Annotated[int, Field(ge=1, le=1000)] = 50
    queue_limit: Annotated[int, Field(ge=1)] = 50_000
    worker_pool: Literal["threads", "prefork", "solo"] = "threads"
    worker_concurrency: Annotated[int, Field(ge=1, le=512)] = 8

    # SMTP.
    #: The longest wait for one reply of the server; the whole attempt is bounded by the lease.
    smtp_timeout_seconds: Seconds = 20
    #: Connections unused for longer are closed: most servers drop theirs after 60 s or more.
    smtp_idle_seconds: Seconds = 30
    smtp_max_messages: Annotated[int, Field(ge=1)] = 1000

    # Logs.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "console"] = "auto"

    @property
    def database(self) -> str:
        """The database's name: MONGODB_DATABASE, else the URI's, else `mailtrigger`."""
        if self.mongodb_database:
            return self.mongodb_database
        named: str | None = parse_uri(self.mongodb_uri.get_secret_value())["database"]
        return named or "mailtrigger"

    @property
    def smtp_server(self) -> smtp.SmtpServer:
        """SMTP_CONNECTION_URI and SMTP_PASSWORD, taken apart."""
        password = self.smtp_password.get_secret_value() if self.smtp_password else None
        return smtp.parse(self.smtp_connection_uri.get_secret_value(), password)


@functools.cache
def load() -> Settings:
    """Read the settings of this process; the same object for every caller."""
    return Settings()
