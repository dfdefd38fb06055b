"""The checked types of the settings: each turns a bad value into one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from config import (
    attachment_hosts,
    broker_url,
    dkim,
    events,
    hosts,
    mailbox,
    mongodb_uri,
    ports,
    rates,
    sendgrid,
)
from config.events import EventTypes
from config.ports import Ports
from config.rates import DomainRates, Rate
from config.tls import TlsOptions


def _holding(check: Callable[[str], object]) -> AfterValidator:
    def validate(value: str) -> str:
        check(value)
        return value

    return AfterValidator(validate)


def _mongodb_uri(value: SecretStr) -> SecretStr:
    uri = value.get_secret_value().strip()
    mongodb_uri.parse(uri)
    return SecretStr(uri)


def _broker_url(value: SecretStr) -> SecretStr:
    return SecretStr(broker_url.checked(value.get_secret_value().strip()))


def _absolute(value: str) -> None:
    if not Path(value).is_absolute():
        raise ValueError("must be an absolute path")


def _host(value: str) -> None:
    if any(char in value for char in "/@ ") or not hosts.is_name(value):
        raise ValueError("is no host name")


def _private_key(value: SecretStr) -> SecretStr:
    dkim.load(value.get_secret_value())
    return value


def _http(value: str) -> None:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")


def _json_map(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        parsed = json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise ValueError("must be a JSON map")  # noqa: TRY004 - pydantic expects ValueError
    return parsed


def _text_or_made(parse: Callable[[str], object]) -> Callable[[Any], Any]:
    return lambda value: parse(value) if isinstance(value, str) else value


def _not_gevent(value: Any) -> Any:
    if value in ("gevent", "eventlet"):
        raise ValueError(
            f"must be threads, prefork or solo; {value} is not offered: it was no faster"
            " here, and its patched sockets do not suit the MongoDB driver and TLS"
        )
    return value


def _secret(check: Callable[[str], object]) -> AfterValidator:
    def validate(value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check(value.get_secret_value())
        return value

    return AfterValidator(validate)


Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

MongoUri = Annotated[SecretStr, AfterValidator(_mongodb_uri)]
BrokerUrl = Annotated[SecretStr, AfterValidator(_broker_url)]
DatabaseName = Annotated[str, _holding(mongodb_uri.check_database)]
CollectionName = Annotated[str, _holding(mongodb_uri.check_collection)]
BucketName = Annotated[str, _holding(lambda name: mongodb_uri.check_collection(f"{name}.files"))]
Directory = Annotated[str, _holding(_absolute)]
HttpUrl = Annotated[str, _holding(_http)]
Hosts = Annotated[str, _holding(attachment_hosts.parse)]
HostName = Annotated[str, _holding(_host)]
ApiUrl = Annotated[str, _holding(sendgrid.check_url)]
Mailbox = Annotated[str, _holding(mailbox.check)]
DkimDomain = Annotated[str, _holding(dkim.check_domain)]
DkimSelector = Annotated[str, _holding(dkim.check_selector)]
PrivateKeyPem = Annotated[SecretStr, AfterValidator(_private_key)]

# NoDecode: the settings' sources hand the text over as it is, so that we can say what is wrong.
RateLimit = Annotated[Rate | None, NoDecode, BeforeValidator(_text_or_made(rates.parse))]
DomainRateLimits = Annotated[
    DomainRates | None, NoDecode, BeforeValidator(_text_or_made(rates.parse_domains))
]
EventsUrl = Annotated[SecretStr | None, _secret(events.check_url)]
EventsSecret = Annotated[SecretStr | None, _secret(events.keys)]
EventTypesList = Annotated[EventTypes, NoDecode, BeforeValidator(_text_or_made(events.parse_types))]
FunctionName = Annotated[str, _holding(events.check_function)]
PortRange = Annotated[Ports | None, NoDecode, BeforeValidator(_text_or_made(ports.parse))]
TlsOptionsJson = Annotated[TlsOptions, NoDecode, BeforeValidator(_json_map)]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]
Pool = Annotated[Literal["threads", "prefork", "solo"], BeforeValidator(_not_gevent)]
#: Goes into Redis keys as it is, and into patterns over them.
KeyPrefix = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:{}/-]*$", max_length=100)]
