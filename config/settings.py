"""Every setting, read once from the environment and `.env`, frozen, secrets hidden."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticKnownError
from pydantic_settings import BaseSettings, SettingsConfigDict

from config import (
    env_file,
    errors,
    mongodb_uri,
    named_transports,
    oauth2,
    sendgrid,
    smtp,
    transports,
)
from config.errors import BadSettings
from config.fields import (
    ApiUrl,
    BrokerUrl,
    BucketName,
    CollectionName,
    Count,
    DatabaseName,
    Directory,
    DomainRateLimits,
    HostName,
    Hosts,
    KeyPrefix,
    LogLevel,
    Mailbox,
    MongoUri,
    Pool,
    RateLimit,
    Seconds,
    TlsOptionsJson,
)
from config.named_transports import NamedTransport, TransportSettings
from config.smtp import SmtpServer
from config.tls import TlsOptions


#: As fixed lengths: `delivery.expireAt` is plain arithmetic, the same for every document.
_TTL_UNITS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
_MAX_TTL = timedelta(days=36_500)

_DEFAULT_DATABASE = "mailtrigger"
_DEFAULT_LEASE_SECONDS = 60.0
_DEFAULT_SMTP_TIMEOUT_SECONDS = 20.0


def _smtp_timeout(earlier: dict[str, Any]) -> float:
    lease: float = earlier.get("lease_seconds", _DEFAULT_LEASE_SECONDS)
    return min(_DEFAULT_SMTP_TIMEOUT_SECONDS, lease / 3)


class Settings(BaseSettings):
    """One attribute per environment variable; `.env.example` and docs/settings.md explain each.

    Raises pydantic.ValidationError; `load` turns that into one line per variable.
    """

    model_config = SettingsConfigDict(
        env_file=env_file.NAME,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    #: Not variables of fixed names, so no fields; see `load`.
    _named: dict[str, NamedTransport] = PrivateAttr(default_factory=dict)

    # Where things are.
    mongodb_uri: MongoUri = Field(examples=["mongodb://127.0.0.1:27017/?replicaSet=rs0"])
    mongodb_database: DatabaseName | None = Field(
        default=None, validate_default=True, examples=["mailtrigger"]
    )
    mail_collection: CollectionName = Field(default="mail", examples=["mail"])
    celery_broker_url: BrokerUrl = Field(examples=["redis://127.0.0.1:6379/0"])
    #: Goes before every key in Redis, so that several applications can share one server.
    broker_prefix: KeyPrefix = Field(default="mailtrigger:", examples=["mailtrigger:"])
    auth_type: Literal["UsernamePassword", "OAuth2"] = Field(
        default="UsernamePassword", examples=["UsernamePassword"]
    )
    smtp_password: SecretStr | None = None
    sendgrid_api_key: SecretStr | None = None
    sendgrid_api_url: ApiUrl = Field(
        default=sendgrid.API_URL, examples=["https://api.eu.sendgrid.com"]
    )
    #: Empty: not set, which AUTH_TYPE=OAuth2 and SENDGRID_API_KEY allow.
    smtp_connection_uri: SecretStr = Field(
        default=SecretStr(""), validate_default=True, examples=[smtp.EXAMPLE]
    )
    tls_options: TlsOptionsJson = Field(
        default=TlsOptions(), examples=['{"minVersion": "TLSv1.3", "ca": "/etc/ssl/ours.pem"}']
    )

    # The SMTP server of AUTH_TYPE=OAuth2, and where its access tokens come from.
    oauth_host: HostName | None = Field(
        default=None, validate_default=True, examples=["smtp.gmail.com"]
    )
    oauth_port: Annotated[int, Field(ge=1, le=65535)] = Field(default=465, examples=["465"])
    oauth_secure: bool = Field(default=True, examples=["true"])
    oauth_user: str | None = Field(
        default=None, validate_default=True, examples=["shop@example.com"]
    )
    client_id: str | None = Field(
        default=None, validate_default=True, examples=["1234.apps.googleusercontent.com"]
    )
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = Field(default=None, validate_default=True)
    token_url: str | None = Field(default=None, validate_default=True, examples=["google"])

    #: Names of further transports, which take mails when the server of one is away.
    transport_fallback: str | None = Field(default=None, examples=["default"])

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

    # How long things last.
    ttl_expire_type: Literal["never", "hour", "day", "week", "month", "year"] = Field(
        default="never", examples=["week"]
    )
    ttl_expire_value: Annotated[int, Field(ge=1)] = Field(default=1, examples=["1"])
    lease_seconds: Annotated[float, Field(ge=5, le=3600)] = Field(
        default=_DEFAULT_LEASE_SECONDS, examples=["60"]
    )
    lease_expired: Literal["error", "retry"] = Field(default="error", examples=["error"])
    #: 1: no automatic retry, as in the Firebase extension.
    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(default=1, examples=["5"])
    retry_base_seconds: Annotated[float, Field(ge=0.1, le=86_400)] = Field(
        default=30, examples=["30"]
    )
    retry_max_seconds: Annotated[float, Field(ge=0.1, le=604_800)] = Field(
        default=3600, examples=["3600"]
    )
    sweep_seconds: Annotated[float, Field(ge=0.1, le=600)] = Field(default=5, examples=["5"])

    # How much at once.
    batch_size: Annotated[int, Field(ge=1, le=1000)] = Field(default=50, examples=["50"])
    queue_limit: Annotated[int, Field(ge=1)] = Field(default=50_000, examples=["50000"])
    #: each: a findOneAndUpdate for every mail; bulk: one write for a group, the same conditions.
    claim: Literal["each", "bulk"] = Field(default="each", examples=["bulk"])
    worker_pool: Pool = Field(default="threads", examples=["threads"])
    worker_concurrency: Annotated[int, Field(ge=1, le=512)] = Field(default=16, examples=["16"])

    # How much in what time, and when to leave a server in peace.
    rate_limit: RateLimit = Field(default=None, examples=["14/second"])
    rate_limit_domains: DomainRateLimits = Field(
        default=None, examples=["gmail.com=20/minute, outlook.com=5/second"]
    )
    #: Connections in a row that could not be had; 0: no circuit breaker.
    circuit_failures: Annotated[int, Field(ge=0, le=1000)] = Field(default=5, examples=["5"])
    #: The longest time between two tries while it is open.
    circuit_seconds: Annotated[float, Field(ge=1, le=3600)] = Field(default=30, examples=["30"])

    # SMTP.
    #: The longest wait for one reply of the server; the whole attempt is bounded by the lease.
    smtp_timeout_seconds: Seconds = Field(default_factory=_smtp_timeout, examples=["3"])
    #: Connections unused for longer are closed: most servers drop theirs after 60 s or more.
    smtp_idle_seconds: Seconds = Field(default=30, examples=["30"])
    smtp_max_messages: Annotated[int, Field(ge=1)] = Field(default=1000, examples=["1000"])

    # Logs.
    log_level: LogLevel = Field(default="INFO", examples=["INFO"])
    log_format: Literal["auto", "json", "console"] = Field(default="auto", examples=["json"])

    @property
    def database(self) -> str:
        """The database's name: MONGODB_DATABASE, else the URI's, else `mailtrigger`."""
        named = self.mongodb_database or _database_of(self.mongodb_uri)
        return named or _DEFAULT_DATABASE

    @property
    def smtp_server(self) -> SmtpServer:
        """The server of SMTP_CONNECTION_URI, or of OAUTH_HOST."""
        return transports.smtp_server(self)

    @property
    def transports(self) -> list[TransportSettings]:
        """All the ways mails can go out; the default one first."""
        return transports.all_of(self)

    @property
    def fallback(self) -> tuple[str, ...]:
        """TRANSPORT_FALLBACK, taken apart."""
        return tuple(named_transports.names(self.transport_fallback or ""))

    @property
    def named(self) -> Mapping[str, NamedTransport]:
        """The transports of SMTP_CONNECTION_URI_<NAME>."""
        return self._named

    @property
    def ttl(self) -> timedelta | None:
        """How long after its end (SUCCESS or ERROR) a mail is deleted; None: never.

        A month is 30 days, a year 365.
        """
        unit = _TTL_UNITS.get(self.ttl_expire_type)
        return None if unit is None else unit * self.ttl_expire_value

    @field_validator("mongodb_database")
    @classmethod
    def _database_is_ours(cls, value: str | None, info: ValidationInfo) -> str | None:
        named = _database_of(info.data["mongodb_uri"]) if "mongodb_uri" in info.data else None
        if value is None and named is not None:
            try:
                mongodb_uri.check_database(named)
            except ValueError as error:
                raise ValueError(f"is needed, for the one in MONGODB_URI {error}") from None
        return value

    @field_validator("smtp_connection_uri")
    @classmethod
    def _smtp_uri_is_whole(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("auth_type") != "OAuth2":
            if not value.get_secret_value():
                if info.data.get("sendgrid_api_key") is not None:
                    return value
                raise PydanticKnownError("missing")
            transports.parse(value, info.data.get("smtp_password"))
        return value

    @field_validator("sendgrid_api_key")
    @classmethod
    def _key_is_one(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            smtp.check_key(value.get_secret_value())
        return value

    @field_validator("oauth_host", "oauth_user", "client_id", "refresh_token")
    @classmethod
    def _needed_for_oauth2(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and info.data.get("auth_type") == "OAuth2":
            raise ValueError("is needed with AUTH_TYPE=OAuth2")
        return value

    @field_validator("token_url")
    @classmethod
    def _token_url_is_known(cls, value: str | None, info: ValidationInfo) -> str | None:
        host = info.data.get("oauth_host")
        if info.data.get("auth_type") == "OAuth2" and host is not None:
            oauth2.token_url(value, host)
        return value

    @field_validator("suppress_hard_bounces")
    @classmethod
    def _have_somewhere_to_go(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001
        if value and info.data.get("suppressions_collection") is None:
            raise ValueError("needs SUPPRESSIONS_COLLECTION, where the addresses are kept")
        return value

    @field_validator("ttl_expire_value")
    @classmethod
    def _within_a_century(cls, value: int, info: ValidationInfo) -> int:
        unit = _TTL_UNITS.get(info.data.get("ttl_expire_type", "never"))
        if unit is not None and value > _MAX_TTL / unit:
            raise ValueError(f"must not be more than {_MAX_TTL.days} days in all")
        return value

    @field_validator("smtp_timeout_seconds")
    @classmethod
    def _shorter_than_the_lease(cls, value: float, info: ValidationInfo) -> float:
        lease = info.data.get("lease_seconds")
        if lease is not None and value >= lease:
            raise ValueError(f"must be less than LEASE_SECONDS ({lease:g})")
        return value


def _database_of(uri: SecretStr) -> str | None:
    return mongodb_uri.parse(uri.get_secret_value()).database


@functools.cache
def load() -> Settings:
    """Read the settings of this process; the same object for every caller.

    Raises BadSettings with one line for each problem.
    """
    problems = env_file.problems()
    if problems:
        raise BadSettings(problems)
    named, lines = named_transports.read(env_file.variables())
    try:
        ours = Settings()
    except ValidationError as error:
        unknown = env_file.names_set() - named_transports.variables(named)
        lines = [*errors.lines(error, Settings.model_fields, unknown), *lines]
        raise BadSettings(lines) from None
    if not lines:
        ours._named.update(named)  # noqa: SLF001 - a part of the class
        lines = named_transports.faults([each.name for each in ours.transports], ours.fallback)
    if lines:
        raise BadSettings(lines)
    return ours


def load_or_exit() -> Settings:
    """Read the settings, or print one line per problem to stderr and leave with code 78."""
    try:
        return load()
    except BadSettings as error:
        print(*error.problems, sep="\n", file=sys.stderr)  # noqa: T201
        raise SystemExit(errors.EXIT_CODE) from None
