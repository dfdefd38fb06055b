from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import InvalidDocument
from tasks.mail import Defaults, address_list, addresses
from tasks.mail.addresses import InvalidAddress
from tests.unit.mail.samples import composed, problems_of, read_back


READ: list[tuple[str, list[tuple[str, str]]]] = [
    ("a@x.org", [("", "a@x.org")]),
    ("  a@x.org  ", [("", "a@x.org")]),
    ("<a@x.org>", [("", "a@x.org")]),
    ("a@x.org, b@y.org", [("", "a@x.org"), ("", "b@y.org")]),
    ("a@x.org,,b@y.org,", [("", "a@x.org"), ("", "b@y.org")]),
    ("a@x.org; b@y.org", [("", "a@x.org"), ("", "b@y.org")]),
    ("Ann <a@x.org>", [("Ann", "a@x.org")]),
    ("Ann<a@x.org>", [("Ann", "a@x.org")]),
    ("Ann Q. O'Lee-Day <a@x.org>", [("Ann Q. O'Lee-Day", "a@x.org")]),
    ("Ännchen <a@x.org>", [("Ännchen", "a@x.org")]),
    ('"Doe, Ann" <a@x.org>, b@y.org', [("Doe, Ann", "a@x.org"), ("", "b@y.org")]),
    (r'"A \"B\" C" <a@x.org>', [('A "B" C', "a@x.org")]),
    ("a@x.org (Ann (the first))", [("Ann (the first)", "a@x.org")]),
    ("Ann (Lee) <a@x.org>", [("Ann", "a@x.org")]),
    ("Ann <a@x.org> (work)", [("Ann", "a@x.org")]),
    ("ann@home <a@x.org>", [("ann@home", "a@x.org")]),
    ("Team: a@x.org, Ben <b@y.org>;", [("", "a@x.org"), ("Ben", "b@y.org")]),
    ("Team: a@x.org", [("", "a@x.org")]),
    ("T: a@x.org;, b@y.org", [("", "a@x.org"), ("", "b@y.org")]),
    ("undisclosed-recipients:;", []),
    ('"a b"@x.org', [("", '"a b"@x.org')]),
    ('"a,b"@x.org, c@x.org', [("", '"a,b"@x.org'), ("", "c@x.org")]),
    ("a@[127.0.0.1]", [("", "a@[127.0.0.1]")]),
    ("Ann <a@[IPv6:::1]>", [("Ann", "a@[IPv6:::1]")]),
    ("a@[IPv6:::1]", [("", "a@[IPv6:::1]")]),
    ("", []),
    (" , ;", []),
]

VALID = [
    "root@localhost",
    "a@host.local",
    "a@mail.test",
    "a@x.example",
    "a@x.invalid",
    "a.b+tag@x.org",
    "!#$%&'*+/=?^_`{|}~-@x.org",
    "a@1.2.3.4",
    "a@xn--mnchen-3ya.de",
    "A.B@X.ORG",
    '"a..b"@x.org',
    "x" * 80 + "@x.org",
]

INVALID = {
    "ann": "it has no @",
    "@x.org": "it has nothing before the @",
    "a@": "it has nothing after the @",
    "a@-x.org": "what stands after the @ is no domain name",
    "a@x..org": "what stands after the @ is no domain name",
    "a@x.org.": "what stands after the @ is no domain name",
    "a@x_y.org": "what stands after the @ is no domain name",
    "a@ü..de": "what stands after the @ is no valid domain name (IDNA)",
    "a@[1.2.3]": "what stands in [ ] is no IP address",
    "a@[IPv6:fe80::1%eth0]": "what stands in [ ] has a scope id",
    "x" * 250 + "@x.org": "it is longer than 254 characters",
}


@pytest.mark.parametrize(("text", "expected"), READ)
def test_lists(text: str, expected: list[tuple[str, str]]) -> None:
    """Address lists are read as people and RFC 5322 write them."""
    found = address_list.parse([text])

    assert [(mailbox.name, mailbox.address) for mailbox in found.mailboxes] == expected
    assert found.invalid == []


@pytest.mark.parametrize("address", VALID)
def test_valid_addresses(address: str) -> None:
    """Valid addresses go out as they are, local and test domains too."""
    assert addresses.parse(address) == address


@pytest.mark.parametrize(("address", "reason"), INVALID.items())
def test_invalid_addresses(address: str, reason: str) -> None:
    """An invalid address is refused, with the reason."""
    with pytest.raises(InvalidAddress) as caught:
        addresses.parse(address)

    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "local_part", ["a b", "a..b", ".a", "a.", "a\tb", "a\u202eb", "a\ufffdb", 'a"b', "a<b"]
)
def test_invalid_local_parts(local_part: str) -> None:
    """What may not stand before the @ is refused."""
    with pytest.raises(InvalidAddress):
        addresses.parse(f"{local_part}@x.org")


@pytest.mark.parametrize(
    ("written", "on_the_wire"),
    [
        ("a@münchen.de", "a@xn--mnchen-3ya.de"),
        ("a@faß.de", "a@xn--fa-hia.de"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("a@例え。テスト", "a@xn--r8jz45g.xn--zckzah"),
        ("jürgen@x.org", "jürgen@x.org"),
        ("jürgen@münchen.de", "jürgen@xn--mnchen-3ya.de"),
        ("jürgen@localhost", "jürgen@localhost"),
    ],
)
def test_international_addresses(written: str, on_the_wire: str) -> None:
    """Domains go out in ASCII (IDNA 2008); local parts as they are."""
    assert addresses.parse(written) == on_the_wire


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('"Ann <a@x.org>', '" is never closed'),
        ("Ann <a@x.org", "< is never closed"),
        ("a@x.org (Ann", "( is never closed"),
        ("Ann <a@x.org> Lee", "text follows the >"),
        ("<a@x.org> <b@y.org>", "text follows the >"),
        ("T: a:b@x.org;", "it has a colon"),
    ],
)
def test_broken_lists(text: str, reason: str) -> None:
    """A piece that is no address is refused as a whole, never repaired by guessing."""
    found = address_list.parse([text])

    assert [why for _, why in found.invalid] == [reason]
    assert found.mailboxes == []


@given(st.text(alphabet='aé@.,;:<>()[]"\\ \t', max_size=60))
def test_any_text_is_read(text: str) -> None:
    """No text crashes the reader, and what it accepts is on the wire exactly one address."""
    for mailbox in address_list.parse([text]).mailboxes:
        assert addresses.parse(mailbox.address) == mailbox.address
        assert not set(mailbox.address.rpartition("@")[2]) & set(' ,;<>"()')


def test_envelope() -> None:
    """Everyone in to, cc and bcc is in the envelope, in that order; bcc in no header."""
    mail = composed(to="A <a@x.org>", cc=["b@x.org", "c@x.org, d@x.org"], bcc="secret@x.org")

    headers = read_back(mail.content)
    assert mail.recipients == ("a@x.org", "b@x.org", "c@x.org", "d@x.org", "secret@x.org")
    assert (headers["To"], headers["Cc"]) == ("A <a@x.org>", "b@x.org, c@x.org, d@x.org")
    assert b"secret" not in mail.content
    assert "bcc" not in headers


def test_only_bcc() -> None:
    """A mail to bcc alone says so, in a form that names nobody."""
    mail = composed(to=None, bcc="secret@x.org")

    assert mail.recipients == ("secret@x.org",)
    assert b"To: undisclosed-recipients:;\r\n" in mail.content


def test_one_mail_for_one_recipient() -> None:
    """A recipient listed twice gets one mail; domains know no case, local parts may."""
    mail = composed(to="Jo <jo@x.org>", cc="jo@X.ORG", bcc=["JO@x.org", "jo@x.org"])

    assert mail.recipients == ("jo@x.org", "JO@x.org")


def test_invalid_recipient_alone() -> None:
    """An invalid address is rejected alone; the others get their mail, without it in a header."""
    mail = composed(to=["jo@x.org", "oops"], cc="a..b@x.org, cc@x.org")

    assert mail.recipients == ("jo@x.org", "cc@x.org")
    assert [(item.recipient, item.code) for item in mail.rejected] == [
        ("oops", None),
        ("a..b@x.org", None),
    ]
    assert mail.rejected[0].response == "Invalid address: it has no @."
    assert b"oops" not in mail.content
    assert b"a..b" not in mail.content


def test_long_invalid_recipient_is_shortened() -> None:
    """What is repeated of an invalid address fits into the document."""
    mail = composed(to=["jo@x.org", "x" * 100_000])

    assert len(mail.rejected[0].recipient) == 254


def test_no_valid_recipient() -> None:
    """When nobody can get the mail, the document is wrong, and each address says why."""
    assert problems_of(to="oops", bcc="a@x_y") == [
        'to: "oops" is no valid address: it has no @',
        'bcc: "a@x_y" is no valid address: what stands after the @ is no domain name',
    ]


@pytest.mark.parametrize("empty", [None, "", " ", ",", [], ["", None], "nobody:;"])
def test_no_recipient(empty: Any) -> None:
    """No recipient is an error, however nobody is written."""
    assert problems_of(to=empty) == ["to, cc, bcc: no recipient"]


def test_too_many_recipients() -> None:
    """So many recipients that they could not be recorded are refused."""
    many = ",".join(f"u{number}@x.org" for number in range(10_001))

    assert problems_of(bcc=many) == ["to, cc, bcc: 10002 recipients, and MAX_RECIPIENTS is 10000"]


def test_max_recipients() -> None:
    """The setting counts everyone, in all three fields."""
    few = Defaults("shop@example.com", max_recipients=2)
    fields = {"to": "a@x.org", "cc": "b@x.org", "bcc": "c@x.org"}

    with pytest.raises(
        InvalidDocument, match=r"^to, cc, bcc: 3 recipients, and MAX_RECIPIENTS is 2$"
    ):
        composed(few, **fields)
    assert len(composed(few, **fields | {"bcc": None}).recipients) == 2


def test_too_long_list() -> None:
    """A list too long to read in time is refused unread."""
    assert problems_of(to="," * 1_000_001) == ["to is longer than 1000000 characters"]


def test_groups_stay_groups() -> None:
    """A group keeps its name in the header; its members get the mail."""
    mail = composed(to="My Team: a@x.org, Ben <b@y.org>;, c@z.org")

    assert mail.recipients == ("a@x.org", "b@y.org", "c@z.org")
    assert b"To: My Team: a@x.org, Ben <b@y.org>;, c@z.org\r\n" in mail.content


def test_smtputf8_only_when_needed() -> None:
    """A non-ASCII domain or name needs no SMTPUTF8; a non-ASCII local part does, in bcc too."""
    assert not composed(to="Jürgen <j@münchen.de>").smtputf8
    assert composed(to="jürgen@x.org").smtputf8
    assert composed(bcc="jürgen@x.org").smtputf8
    assert composed(replyTo="jürgen@x.org").smtputf8


def test_smtputf8_header_and_its_ascii_form() -> None:
    """Addresses stand as they are in the header; in the ASCII form they can still be read."""
    mail = composed(to="Jürgen <jürgen@x.org>, Team: a@x.org, é@x.org;")

    assert "<jürgen@x.org>, Team: a@x.org, é@x.org;".encode() in mail.content
    assert mail.has_8bit
    assert mail.seven_bit is not None
    assert mail.seven_bit().isascii()
    to = read_back(mail.seven_bit())["To"]
    assert [group.display_name for group in to.groups] == [
        "Jürgen jürgen@x.org",
        None,
        "é@x.org",
    ]


def test_sender() -> None:
    """`from` beats the default; the envelope's sender is its bare address."""
    assert composed().sender == "shop@example.com"
    assert composed(from_=" ").sender == "shop@example.com"
    mail = composed(from_="Müller & Co. <me@münchen.de>")
    assert mail.sender == "me@xn--mnchen-3ya.de"
    assert read_back(mail.content)["From"].addresses[0].display_name == "Müller & Co."


def test_several_senders() -> None:
    """With several authors the first one is the sender, and a Sender line says so (RFC 5322)."""
    mail = composed(from_="A <a@x.org>, b@x.org")

    assert mail.sender == "a@x.org"
    assert read_back(mail.content)["Sender"] == "A <a@x.org>"


def test_reply_to() -> None:
    """replyTo may hold several addresses."""
    mail = composed(replyTo="A <a@x.org>, b@x.org")

    assert read_back(mail.content)["Reply-To"] == "A <a@x.org>, b@x.org"


def test_invalid_sender_names_the_field() -> None:
    """An invalid sender or reply address is the document's fault: no mail goes out."""
    reason = 'holds "me", which is no valid address: it has no @'

    assert problems_of(from_="me") == [f"from {reason}"]
    assert problems_of(replyTo="me") == [f"replyTo {reason}"]
    assert problems_of(from_="nobody:;") == ["from holds no address"]


@pytest.mark.parametrize("default", ["", "shop", "nobody:;"])
def test_invalid_default_sender(default: str) -> None:
    """Should a wrong DEFAULT_FROM get this far, the error names it, not the document's `from`."""
    with pytest.raises(InvalidDocument) as caught:
        composed(Defaults(default))

    assert str(caught.value).startswith("DEFAULT_FROM holds ")
