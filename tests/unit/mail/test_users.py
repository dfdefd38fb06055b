from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId

from tasks.envelope import Mail
from tasks.errors import InvalidDocument
from tasks.mail import compose, wanted
from tasks.mail.gathered import NOTHING_WANTED, Gathered
from tests.unit.mail.samples import DEFAULTS, NOW, document, problems_of, read_back


OID = ObjectId()
EMAILS = {"ann": "ann@x.org", "ben": " ben@x.org ", OID: "oid@x.org", "jo": "jo@example.ORG"}


def composed(emails: dict[Any, str] | None = None, **fields: Any) -> Mail:
    gathered = Gathered(emails=EMAILS if emails is None else emails)
    return compose(document(**fields), DEFAULTS, now=NOW, gathered=gathered)


def test_wanted() -> None:
    """Every user is asked for once, whichever fields name them; a wrong document asks nobody."""
    fields = {"toUids": ["a", None, 5], "ccUids": [5, OID], "bccUids": ["a"]}

    assert wanted(document(**fields)).uids == ("a", 5, OID)
    assert wanted(document(**fields, cc=5)) == NOTHING_WANTED
    assert wanted(document(toUids=[])) == NOTHING_WANTED
    assert not wanted(document())


def test_users_come_behind_addresses() -> None:
    """Users stand in the header of their field, behind the addresses; bcc stays hidden."""
    mail = composed(
        to="a@x.org", toUids=["ann", OID], cc="c@x.org", ccUids=["ben"], bccUids=["ann", "jo"]
    )

    headers = read_back(mail.content)
    assert mail.recipients == (
        *("a@x.org", "ann@x.org", "oid@x.org", "c@x.org", "ben@x.org", "jo@example.ORG"),
    )
    assert headers["To"] == "a@x.org, ann@x.org, oid@x.org"
    assert headers["Cc"] == "c@x.org, ben@x.org"


def test_nobody_is_listed_twice() -> None:
    """A user who is named by address too gets one mail, and stands in the headers once."""
    mail = composed(to="Jo <jo@example.org>", toUids=["jo", "ann", "ann"], ccUids=["jo", "ann"])

    headers = read_back(mail.content)
    assert mail.recipients == ("jo@example.org", "ann@x.org")
    assert (headers["To"], headers["Cc"]) == ("Jo <jo@example.org>, ann@x.org", None)


def test_users_alone() -> None:
    """No address is needed beside users."""
    assert composed(to=None, bccUids=["ann"]).recipients == ("ann@x.org",)


def test_missing_users() -> None:
    """Users without an address are named; the others get their mail."""
    mail = composed(toUids=["ann", "nobody", 5], ccUids=["nobody"])

    assert mail.recipients == ("jo@example.org", "ann@x.org")
    assert mail.missing_uids == ("nobody", 5)


def test_nobody_left() -> None:
    """When nobody can get the mail, every missing user is named in the error."""
    with pytest.raises(InvalidDocument) as caught:
        composed(to="oops", toUids=["nobody"], bccUids=[OID], emails={})

    assert caught.value.problems == [
        'to: "oops" is no valid address: it has no @',
        'toUids: there is no user "nobody" with an email',
        f'bccUids: there is no user "{OID}" with an email',
    ]


def test_no_collection() -> None:
    """Without USERS_COLLECTION the fields are an error, also beside addresses."""
    assert problems_of(toUids=["ann"], bccUids=[None]) == [
        "toUids needs the setting USERS_COLLECTION"
    ]


@pytest.mark.parametrize("email", ["oops", "a@x.org, b@x.org", "Ann <a@x.org>", "a@x.org\r\nx"])
def test_one_address_each(email: str) -> None:
    """`email` is one bare address: a user who writes more there reaches nobody else by it."""
    mail = composed(toUids=["ann"], emails={"ann": email})

    assert mail.recipients == ("jo@example.org",)
    assert [each.recipient for each in mail.rejected] == [email]
