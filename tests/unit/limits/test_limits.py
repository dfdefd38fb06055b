"""Which limits hold for a mail, and what a waiting mail says of them."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from config import rates
from config.settings import Settings
from tasks.limits import reasons
from tasks.limits.limits import Limits, domains_of


@pytest.fixture
def settings() -> Settings:
    """One limit for all mails, and two for domains."""
    return Settings(
        _env_file=None,
        mongodb_uri=SecretStr("mongodb://127.0.0.1/"),
        celery_broker_url=SecretStr("redis://127.0.0.1/"),
        smtp_connection_uri=SecretStr("smtp://127.0.0.1"),
        default_from="a@example.com",
        rate_limit=rates.parse("14/second"),
        rate_limit_domains=rates.parse_domains("gmail.com=20/minute, bücher.example=1/hour"),
    )


@pytest.mark.parametrize(
    ("recipients", "names"),
    [
        (["a@example.com"], ["default"]),
        (["a@gmail.com"], ["default", "gmail.com"]),
        (["a@GMAIL.com", "b@gmail.com"], ["default", "gmail.com"]),
        (["a@x.gmail.com"], ["default"]),
        (["a@xn--bcher-kva.example", "b@gmail.com"], ["default", "bücher", "gmail.com"]),
        (['"a@gmail.com"@example.com'], ["default"]),
    ],
)
def test_a_mail_counts_once_for_each_of_its_domains(
    settings: Settings, recipients: list[str], names: list[str]
) -> None:
    """However many of its recipients are there, and however they write the domain."""
    found = [limit.name for limit in Limits(settings).of(recipients)]

    assert found == [name.replace("bücher", "xn--bcher-kva.example") for name in names]


def test_each_transport_counts_for_itself(settings: Settings) -> None:
    """Its own RATE_LIMIT_<NAME> alone, and the domains by keys of its own."""
    two = settings.model_copy(update={"sendgrid_api_key": SecretStr("SG.key")})
    limits = Limits(two)

    default, other = (limits.of(["a@gmail.com"], name) for name in ("default", "sendgrid"))

    assert [each.setting for each in default] == ["RATE_LIMIT", "RATE_LIMIT_DOMAINS: gmail.com"]
    assert [each.setting for each in other] == ["RATE_LIMIT_DOMAINS: gmail.com"]
    assert other[0].rate == default[1].rate
    assert len({each.log for each in (*default, *other)}) == 3


def test_without_limits_nothing_holds(settings: Settings) -> None:
    """Neither for the transport nor for a domain."""
    limits = Limits(settings.model_copy(update={"rate_limit": None, "rate_limit_domains": None}))

    assert not limits
    assert limits.transport is None
    assert list(limits.of(["a@gmail.com"])) == []


@pytest.mark.parametrize(
    ("rate", "window"),
    [("14/second", 1.025), ("1/10 seconds", 10.25), ("20/minute", 60.5), ("9/day", 86_400.5)],
)
def test_a_window_is_a_little_longer_for_us(settings: Settings, rate: str, window: float) -> None:
    """By 2.5 %, and half a second at the most: 95 % of the limit can always be used."""
    limit = Limits(settings.model_copy(update={"rate_limit": rates.parse(rate)})).transport

    assert limit is not None
    assert limit.window == pytest.approx(window)
    assert limit.rate.seconds / limit.window > 0.97


@pytest.mark.parametrize(
    ("rate", "reserve"),
    [
        ("1000/second", 0),
        ("1000/59 seconds", 0),
        ("24/minute", 0),
        ("25/minute", 1),
        ("50000/day", 2000),
    ],
)
def test_long_windows_have_a_reserve(settings: Settings, rate: str, reserve: int) -> None:
    """At most 4 %, where a burst could leave high priority without a slot for long."""
    limit = Limits(settings.model_copy(update={"rate_limit": rates.parse(rate)})).transport

    assert limit is not None
    assert limit.reserve == reserve
    assert (
        limit.rate.count - reserve
    ) / limit.rate.count * limit.rate.seconds / limit.window > 0.95


def test_keys_are_apart(settings: Settings) -> None:
    """A domain called like the transport has keys of its own; another rate has other turns."""
    domains = rates.parse_domains("default=14/second")
    transport, domain = Limits(settings.model_copy(update={"rate_limit_domains": domains})).of(
        ["a@default"]
    )
    other = Limits(settings.model_copy(update={"rate_limit": rates.parse("15/second")})).transport

    assert other is not None
    assert len({transport.log, transport.line, domain.log, domain.line}) == 4
    assert other.log == transport.log
    assert other.line != transport.line
    assert transport.log.startswith(settings.broker_prefix)


def test_only_a_mail_that_had_a_turn_is_taken_for_one(settings: Settings) -> None:
    """It may go before newcomers; one that waits by chance, for Redis or for a domain may not."""
    transport, domain = Limits(settings).of(["a@gmail.com"])

    assert reasons.had_turn(reasons.turn(transport))
    assert reasons.had_turn(reasons.turn(domain))
    assert "gmail.com" in reasons.turn(domain)
    for other in (
        reasons.long_queue(transport),
        reasons.long_queue(domain),
        reasons.redis(),
        reasons.pause("gmail.com"),
        reasons.connection("smtp.example.com:25"),
        None,
        ["RATE_LIMIT"],
    ):
        assert not reasons.had_turn(other)


def test_domains_are_those_behind_the_last_at_sign() -> None:
    """Each once, in lower case."""
    assert domains_of(["a@B.example", '"x@y"@b.example', "c@d"]) == ["b.example", "d"]
