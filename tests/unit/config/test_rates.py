"""RATE_LIMIT and RATE_LIMIT_DOMAINS."""

from __future__ import annotations

import pytest

from config import rates
from config.rates import DomainRates, Rate
from tests.unit.config.conftest import Read


@pytest.mark.parametrize(
    ("text", "rate", "shown"),
    [
        ("14/second", Rate(14, 1), "14/second"),
        ("1/minute", Rate(1, 60), "1/minute"),
        ("500/hour", Rate(500, 3600), "500/hour"),
        ("50000/day", Rate(50_000, 86_400), "50000/day"),
        (" 20 / 10 seconds ", Rate(20, 10), "20/10 seconds"),
        ("20/60 seconds", Rate(20, 60), "20/minute"),
        ("1000000/31 days", Rate(1_000_000, 31 * 86_400), "1000000/31 days"),
    ],
)
def test_a_rate_is_read_and_shown(text: str, rate: Rate, shown: str) -> None:
    """A number of mails, and a time; what is shown can be read again."""
    assert rates.parse(text) == rate
    assert str(rate) == shown
    assert rates.parse(shown) == rate


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("14", "a number of mails per second, minute, hour or day"),
        ("14/week", "a number of mails per second"),
        ("1.5/second", "a number of mails per second"),
        ("-1/second", "a number of mails per second"),
        ("14/second x", "a number of mails per second"),
        ("٣/second", "a number of mails per second"),
        ("0/second", "from 1 to 1000000 mails"),
        ("1000001/day", "from 1 to 1000000 mails"),
        ("1/0 seconds", "from 1 second to 31 days"),
        ("1/32 days", "from 1 second to 31 days"),
    ],
)
def test_what_is_no_rate_is_explained(text: str, words: str) -> None:
    """The error says what is wanted."""
    with pytest.raises(ValueError, match=words):
        rates.parse(text)


def test_domains_are_read_and_shown() -> None:
    """Each with its rate, written as recipients' addresses have them."""
    read = rates.parse_domains("Gmail.com=20/minute, bücher.example = 5/second")

    assert read == DomainRates(
        (("gmail.com", Rate(20, 60)), ("xn--bcher-kva.example", Rate(5, 1))),
    )
    assert rates.parse_domains(str(read)) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gmail.com", "must be domain=rate"),
        ("gmail.com=20/minute,", "must be domain=rate"),
        ("gmail.com=20", "has a rate for gmail.com that must be a number of mails"),
        ("a b=1/second", "something before an = that is no domain"),
        ("=1/second", "something before an = that is no domain"),
        ("a=1/second, A=2/second", "names a twice"),
    ],
)
def test_what_is_no_list_of_domains_is_explained(text: str, words: str) -> None:
    """The error names the domain where there is one."""
    with pytest.raises(ValueError, match=words):
        rates.parse_domains(text)


def test_settings_hold_rates(read: Read) -> None:
    """The variables are read with the other settings; unset, there is no limit."""
    ours = read(RATE_LIMIT="14/second", RATE_LIMIT_DOMAINS="gmail.com=20/minute")

    assert ours.rate_limit == Rate(14, 1)
    assert ours.rate_limit_domains == DomainRates((("gmail.com", Rate(20, 60)),))
    assert read(RATE_LIMIT="", RATE_LIMIT_DOMAINS="").rate_limit is None
