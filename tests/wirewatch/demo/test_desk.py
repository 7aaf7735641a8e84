"""The listening desk takes what is signed, in its own time, and tells each message once."""

from __future__ import annotations

import http.client
import json
import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from wirewatch.demo import Desk, Newsroom, expected_alerts, expected_passes
from wirewatch.demo.stories import at

NOW = at("15:31")
FERRY = "http://courier.example/local/ferry-subsidy"
EVENT = {
    "id": "1",
    "type": "wirewatch.article.revised.v1",
    "data": {"article": {"url": FERRY, "headline": "Ferry subsidy"}},
}


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Desk(lambda: NOW) as running:
        yield running


def post(desk: Desk, *, name: str = "a1", sent: datetime = NOW, secret: str = "", body: object = EVENT) -> int:
    """Post an event as a sender would; `secret` is another than the desk's."""
    data = json.dumps(body)
    signature = Webhook(secret or desk.secret).sign(name, sent, data)
    stamp = str(int(sent.timestamp()))
    return posted(desk, data, {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature})


def posted(desk: Desk, data: str, headers: dict[str, str]) -> int:
    where = urlsplit(desk.webhook_url)
    connection = http.client.HTTPConnection(where.netloc, timeout=10)
    try:
        connection.request("POST", where.path, data, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def mail(desk: Desk, **headers: str) -> None:
    message = EmailMessage()
    for name, value in ({"Subject": "A change", "To": "desk@harbourpost.example"} | headers).items():
        message[name.replace("_", "-")] = value
    message.set_content(f"\nThe Courier changed 12 to 15.\n\nMore of it.\nArticle: {FERRY}\n")
    message.add_alternative("<p>The Courier changed 12 to 15.</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", urlsplit(desk.mail_url).port or 0, timeout=10) as server:
        server.send_message(message, "wirewatch@wirewatch.example", ["desk@harbourpost.example"])


def test_signed_events_are_taken_one_or_several(desk: Desk) -> None:
    assert post(desk) == 204
    assert post(desk, name="a2", body=[EVENT, EVENT]) == 204
    assert [(one.by, one.id, one.at, one.told, one.links) for one in desk.arrived] == [
        ("webhook", "a1", NOW, ("revised", "Ferry subsidy"), (FERRY,)),
        ("webhook", "a2", NOW, ("revised", "Ferry subsidy"), (FERRY, FERRY)),
    ]


def test_event_without_an_article_is_taken(desk: Desk) -> None:
    assert post(desk, body={"id": "1", "type": "wirewatch.alert.more.v1", "data": {"text": "And 3 more."}}) == 204
    assert desk.arrived[0].told == ("more", "And 3 more.")


def test_what_comes_twice_is_told_once(desk: Desk) -> None:
    assert [post(desk), post(desk)] == [204, 204]
    assert len(desk.arrived) == 1
    assert desk.repeated == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"secret": "whsec_" + "QUJD" * 8}, "the signature does not hold"),
        ({"sent": NOW - timedelta(minutes=6)}, "sent at 2026-03-16 15:25, which is not now"),
        ({"sent": NOW + timedelta(minutes=6)}, "sent at 2026-03-16 15:37, which is not now"),
    ],
    ids=["another secret", "old", "from the future"],
)
def test_what_is_not_rightly_signed_is_turned_away(desk: Desk, changes: dict[str, object], why: str) -> None:
    assert post(desk, **changes) == 401  # type: ignore[arg-type]
    assert desk.turned_away == [why]
    assert desk.arrived == ()


def test_what_is_not_signed_at_all_is_turned_away(desk: Desk) -> None:
    assert posted(desk, json.dumps(EVENT), {}) == 401
    assert desk.turned_away == ["a header of Standard Webhooks is missing"]


def test_mail_is_taken_with_its_subject_and_first_line(desk: Desk) -> None:
    mail(desk, X_Wirewatch_Alert="a3")
    mail(desk, X_Wirewatch_Alert="a3")
    (one,) = desk.arrived
    assert (one.by, one.id, one.told) == ("mail", "a3", ("A change", "The Courier changed 12 to 15."))
    assert one.links == (FERRY,)
    assert desk.repeated == 1


def test_nothing_of_a_stopped_desk_is_left() -> None:
    before = set(threading.enumerate())
    with Desk(lambda: NOW) as desk:
        hooks, mails = urlsplit(desk.webhook_url).port, urlsplit(desk.mail_url).port
        lingering = socket.create_connection(("127.0.0.1", mails or 0))
        lingering.recv(100)
    lingering.close()
    desk.stop()
    assert {thread for thread in threading.enumerate() if thread not in before} == set()
    for port in (hooks, mails):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port or 0), timeout=1)


def test_each_alert_tells_of_a_change_that_the_newsroom_made_before_it() -> None:
    made = {(change.url, change.event): one.at for one in reversed(expected_passes()) for change in one.changes}
    for alert in expected_alerts():
        assert made[alert.url, alert.happened] < alert.at
    with Newsroom() as newsroom:
        assert {urlsplit(alert.url).hostname for alert in expected_alerts()} <= {site.host for site in newsroom.sites}
