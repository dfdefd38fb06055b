"""The screens: what goes on, what waits, and why."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from config import rates
from config.settings import Settings
from config.smtp import parse
from local import ports
from tasks.delivery.claim import Claim
from tasks.envelope import Mail
from tasks.limits.connect import connect
from tasks.limits.limits import Limits
from tasks.limits.permits import FARTHEST, Permits
from tasks.limits.reasons import LOOK_AGAIN
from tasks.limits.troubles import Troubles
from tasks.pace import Pace
from tasks.routing import Route, Routes
from tasks.screening.hindrances import Hindrances
from tasks.screening.rate_limits import RateLimits
from tasks.screening.screen import Prepared
from tests.support.smtp import transport_to


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A limit for one domain."""
    limits = rates.parse_domains("gmail.com=2/minute")
    return settings.model_copy(update={"rate_limit_domains": limits})


@pytest.fixture
def rate_limits(client: redis.Redis, settings: Settings) -> RateLimits:
    """Of one worker."""
    return RateLimits(Limits(settings), Permits(client), Pace())


def mail_to(*recipients: str, priority: str | None = None, **delivery: Any) -> Prepared:
    """Make a mail in a worker's hands."""
    document = {"_id": recipients, "priority": priority, "delivery": delivery}
    claim = Claim(recipients, document, "worker:1", 1, 0.0)
    return Prepared(claim, Mail("from@example.com", recipients, b"", "<id@example.com>"))


def test_only_limited_mails_get_a_slot_or_wait(rate_limits: RateLimits) -> None:
    """The others go on as they are."""
    group = [mail_to("a@gmail.com") for _ in range(3)] + [mail_to("a@example.com")]

    screened = rate_limits.screen(group)

    assert sorted(each.slot is None for each in screened.send) == [False, False, True]
    [waiting] = screened.waiting
    assert waiting.why == "RATE_LIMIT_DOMAINS: gmail.com"
    assert waiting.seconds == pytest.approx(60, abs=2)
    assert screened.ended == []


def test_a_mail_without_recipients_asks_for_nothing(rate_limits: RateLimits) -> None:
    """Nobody is left to get it: it uses up no slot."""
    [sent] = rate_limits.screen([mail_to()]).send

    assert sent.slot is None


def test_who_waited_for_a_turn_goes_before_newcomers(rate_limits: RateLimits) -> None:
    """As its document says, whatever else it may wait for."""
    rate_limits.screen([mail_to("a@gmail.com") for _ in range(4)])
    had_turn = mail_to("a@gmail.com", waitsFor="RATE_LIMIT_DOMAINS: gmail.com")
    high = mail_to("a@gmail.com", priority="high")
    others = [mail_to("a@gmail.com", waitsFor=text) for text in (None, "a turn by RATE_LIMIT", 5)]

    [again], [first] = (rate_limits.screen([each]).waiting for each in (had_turn, high))
    late = [rate_limits.screen([each]).waiting[0] for each in others]

    seconds = [each.seconds or 0 for each in (again, first, *late)]
    assert seconds == sorted(seconds)
    assert seconds[2] - seconds[1] > 25


def test_without_a_turn_a_mail_comes_again_within_the_hour(rate_limits: RateLimits) -> None:
    """By chance, and its document says that it had no turn."""
    for _ in range(4):
        screened = rate_limits.screen([mail_to("a@gmail.com") for _ in range(50)])

    late = [each for each in screened.waiting if each.why.startswith("a turn by ")]
    assert len(late) > 30
    assert all(0 <= (each.seconds or 0) <= FARTHEST for each in late)
    assert len({each.seconds for each in late}) > 20


def test_without_redis_limited_mails_wait(settings: Settings) -> None:
    """Some seconds: nobody knows what the other workers have sent. The others go out."""
    away = settings.model_copy(
        update={"celery_broker_url": SecretStr(f"redis://127.0.0.1:{ports.free()}/0")}
    )
    with connect(away) as client:
        rate_limits = RateLimits(Limits(away), Permits(client), Pace())
        screened = rate_limits.screen([mail_to("a@gmail.com"), mail_to("a@example.com")])

    assert [each.mail.recipients for each in screened.send] == [("a@example.com",)]
    [waiting] = screened.waiting
    assert waiting.why.startswith("Redis, which counts")
    assert 2 <= (waiting.seconds or 0) <= 5


def test_a_pausing_domain_holds_up_its_mails_alone(client: redis.Redis, settings: Settings) -> None:
    """Also a mail that has other recipients: it would be refused for one of them."""
    route = _route(client, settings)
    screen = Hindrances(Routes([route]))
    route.troubles.slow_down(["gmail.com"])
    group = [
        mail_to("a@example.com"),
        mail_to("a@Gmail.com"),
        mail_to("b@x.example", "a@gmail.com"),
    ]

    screened = screen(group)

    assert screened.send == group[:1]
    assert [each.claim for each in screened.waiting] == [each.claim for each in group[1:]]
    assert {each.why for each in screened.waiting} == {"gmail.com, which asked for fewer mails"}
    assert all(29 <= (each.seconds or 0) <= 60 for each in screened.waiting)


def test_a_domain_pauses_for_one_transport(client: redis.Redis, settings: Settings) -> None:
    """It asked one server for fewer mails; those of another go on."""
    throttled, other = _route(client, settings, "news"), _route(client, settings)
    screen = Hindrances(Routes([other, throttled]))
    throttled.troubles.slow_down(["gmail.com"])
    news, reset = _over(throttled, mail_to("a@gmail.com")), mail_to("a@gmail.com")

    screened = screen([news, reset])

    assert screened.send == [reset]
    assert [each.claim for each in screened.waiting] == [news.claim]


def test_a_server_that_is_away_holds_up_all(client: redis.Redis, settings: Settings) -> None:
    """They wait until the watcher brings them again."""
    route = _route(client, settings)
    screen = Hindrances(Routes([route]))
    _fail(route, settings)

    screened = screen([mail_to("a@example.com"), mail_to("b@example.com", priority="high")])

    assert screened.send == []
    assert {(each.seconds, each.why) for each in screened.waiting} == {
        (LOOK_AGAIN, "a connection to smtp.example.com:25")
    }


def test_a_server_among_several_holds_up_its_own(client: redis.Redis, settings: Settings) -> None:
    """Mails for the others go out; its own come again by themselves, at different times."""
    away, other = _route(client, settings), _route(client, settings, "news")
    screen = Hindrances(Routes([away, other]))
    _fail(away, settings)
    group = [mail_to(f"r{n}@example.com") for n in range(20)]
    news = _over(other, mail_to("a@example.com"))

    screened = screen([*group, news])

    assert screened.send == [news]
    assert len({each.seconds for each in screened.waiting}) > 10


def test_a_server_another_stands_in_for_holds_up_nobody(
    client: redis.Redis, settings: Settings
) -> None:
    """Who sends finds the other way; when that is away, too, they wait."""
    away, other = _route(client, settings), _route(client, settings, "news")
    screen = Hindrances(Routes([away, other], fallback=["news"]))
    _fail(away, settings)
    group = [mail_to("a@example.com")]

    assert screen(group).send == group

    _fail(other, settings)
    assert screen(group).send == []


def _route(client: redis.Redis, settings: Settings, name: str = "default") -> Route:
    server = parse("smtp://smtp.example.com:25")
    with transport_to(server) as transport:  # nobody connects
        return Route(transport, Troubles(client, settings, name))


def _fail(route: Route, settings: Settings) -> None:
    for _ in range(settings.circuit_failures):
        route.troubles.failed()


def _over(route: Route, prepared: Prepared) -> Prepared:
    mail = dataclasses.replace(prepared.mail, transport=route.name)
    return dataclasses.replace(prepared, mail=mail)
