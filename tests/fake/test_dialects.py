"""The dialects of the API by name: shapes, codes, messages and ids."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest

from ziett_async._wire import Request, Response
from ziett_async.testing import Dialect, FakeZiett, Fault

Ask = Callable[..., Response]
Body = Callable[..., dict[str, object]]

START = datetime.fromisoformat("2025-07-14T10:30:00+00:00")

#: What the published pages print, verbatim.
PUBLISHED = json.loads((Path(__file__).parents[1] / "wire/published/answers.json").read_bytes())
#: The answers of a dialect's pages, and where each comes from.
ANSWERS = {
    "send_message.202.site": ("POST", "/messages"),
    "get_message.200.site": ("GET", "/messages/{message}"),
    "list_messages.200.site": ("GET", "/messages?q={message}"),
    "send_batch_campaign.202.site": ("POST", "/campaigns/batch"),
    "get_campaign.200.site": ("GET", "/campaigns/{campaign}"),
    "get_message.200.reference": ("GET", "/messages/{message}"),
    "list_messages.200.reference": ("GET", "/messages?q={message}"),
    "list_campaign_messages.200.reference": ("GET", "/campaigns/{campaign}/messages?q=923"),
    "get_campaign.200.reference": ("GET", "/campaigns/{campaign}"),
    "list_campaigns.200.reference": ("GET", "/campaigns?q=July"),
}


def keys(value: object) -> object:
    """Return the keys of a document in order, at every depth except in `data`."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value).items()
        return [(name, None if name == "data" else keys(each)) for name, each in fields]
    return [keys(each) for each in cast("list[object]", value)] if isinstance(value, list) else None


@pytest.mark.parametrize("name", ANSWERS)
def test_a_response_has_the_keys_of_the_page_in_order(
    ask: Ask, message: Body, batch: Body, name: str
) -> None:
    """As the pages of the dialect print them, nested objects included."""
    fake = FakeZiett()
    fake.use_dialect(name.rpartition(".")[2])
    ask(fake, "POST", "/messages", message(save_contact={"name": "Ana", "email": "a@b.ao"}))
    ask(fake, "POST", "/campaigns/batch", batch(name="July"))
    method, path = ANSWERS[name]
    path = path.format(message=fake.messages[1].id, campaign=fake.campaigns[0].id)
    body = {"/messages": message(), "/campaigns/batch": batch()}.get(path)
    assert keys(json.loads(ask(fake, method, path, body).body)) == keys(PUBLISHED[name])


def test_an_entry_of_the_conventions_begins_with_the_keys_of_its_page(
    ask: Ask, message: Body
) -> None:
    """The page shows only some keys; the others are those of the page of the list."""
    fake = FakeZiett()
    ask(fake, "POST", "/messages", message())
    [usual] = json.loads(ask(fake, "GET", "/messages").body)["entries"]
    fake.use_dialect("conventions")
    [entry] = json.loads(ask(fake, "GET", "/messages").body)["entries"]
    printed = list(PUBLISHED["conventions.entry (abridged on the page)"])
    assert list(entry)[: len(printed)] == printed
    renamed = {"target_e164": "to", "content": "body"}
    assert {renamed.get(each, each) for each in usual} == set(entry)
    assert entry["status"] == "pending"


def fields(response: Response) -> dict[str, str]:
    """Return the invalid fields of a 422."""
    assert response.status == 422
    return dict(json.loads(response.body)["fields"])


def test_a_message_is_retrieved_as_the_current_page_prints_it(ask: Ask, message: Body) -> None:
    """With twenty keys in order, no contact, and `external_id` null."""
    fake = FakeZiett()
    ask(fake, "POST", "/messages", message(save_contact={"name": "Ana"}))
    record = fake.messages[0]
    detail = json.loads(ask(fake, "GET", f"/messages/{record.id}").body)
    assert list(detail.items()) == [
        ("id", str(record.id)),
        ("organization_id", detail["organization_id"]),
        ("billing_account_id", detail["billing_account_id"]),
        ("campaign_id", None),
        ("contact_id", str(record.contact_id)),
        ("sms_remitter_id", str(record.remitter_id)),
        ("sms_remitter", {"id": str(record.remitter_id), "name": "ZIETT"}),
        ("external_id", None),
        ("channel_type", "SMS"),
        ("channel_destination", "UNITEL"),
        ("provider_name", "UNITEL_DIRECT"),
        ("e164_format", "+244923456789"),
        ("content", "Your code is 482910."),
        ("trigger_source", "API"),
        ("cost", "15.000000"),
        ("is_refunded", False),
        ("status", "PENDING"),
        ("error_code", None),
        ("created_at", "2025-07-14T10:30:00.000000+00:00"),
        ("updated_at", "2025-07-14T10:30:00.000000+00:00"),
    ]


def test_a_message_is_retrieved_as_the_older_reference_prints_it(
    ask: Ask, message: Body, batch: Body
) -> None:
    """With its keys in order, contact and campaign as objects; list entries are the same."""
    fake = FakeZiett(dialect=Dialect(name="reference"))
    ask(fake, "POST", "/messages", message(save_contact={"name": "Ana"}))
    ask(fake, "POST", "/campaigns/batch", batch(name="July"))
    record = fake.messages[1]
    detail = json.loads(ask(fake, "GET", f"/messages/{record.id}").body)
    campaign = fake.dialect.format_timestamp(fake.campaigns[0].created_at)
    assert list(detail.items()) == [
        ("id", str(record.id)),
        ("updated_at", "2025-07-14T10:30:00.002Z"),
        ("created_at", "2025-07-14T10:30:00.002Z"),
        ("organization_id", detail["organization_id"]),
        ("campaign_id", str(record.campaign_id)),
        ("contact_id", str(record.contact_id)),
        ("sms_remitter_id", str(record.remitter_id)),
        ("sms_remitter", {"name": "ZIETT"}),
        ("external_id", None),
        ("cost", "15.000000"),
        ("billing_account_id", detail["billing_account_id"]),
        ("channel_type", "SMS"),
        ("channel_destination", "UNITEL"),
        ("provider_id", "UNITEL_DIRECT"),
        ("e164_format", "+244923456789"),
        ("content", "Hello"),
        ("trigger_source", "API_CLIENT"),
        ("error_code", None),
        ("is_refunded", False),
        ("status", "PENDING"),
        (
            "contact",
            {
                "id": str(record.contact_id),
                "updated_at": "2025-07-14T10:30:00.000Z",
                "created_at": "2025-07-14T10:30:00.000Z",
                "name": "Ana",
                "email": None,
                "e164_format": "+244923456789",
                "organization_id": detail["organization_id"],
            },
        ),
        (
            "campaign",
            {
                "id": str(record.campaign_id),
                "updated_at": campaign,
                "created_at": campaign,
                "name": "July",
                "status": "PROCESSING",
            },
        ),
    ]
    assert list(detail["contact"]) == [
        "id",
        "updated_at",
        "created_at",
        "name",
        "email",
        "e164_format",
        "organization_id",
    ]
    assert list(detail["campaign"]) == ["id", "updated_at", "created_at", "name", "status"]
    query = f"/messages?q={record.id}"
    assert json.loads(ask(fake, "GET", query).body)["entries"] == [detail]
    path = f"/campaigns/{record.campaign_id}/messages?order=asc&size=1"
    assert json.loads(ask(fake, "GET", path).body)["entries"] == [detail]


def test_a_message_without_contact_and_campaign_has_nulls_in_the_older_reference(ask: Ask) -> None:
    """And no provider, if no page names the operator's provider."""
    fake = FakeZiett(dialect=Dialect(retrieve="reference"))
    record = fake.add_message(target_e164="+351912345678")
    detail = json.loads(ask(fake, "GET", f"/messages/{record.id}").body)
    assert [detail[name] for name in ("contact", "campaign", "provider_id")] == [None] * 3


@pytest.mark.parametrize("name", ["site", "reference", "conventions"])
def test_the_dialect_of_a_running_fake_can_change(ask: Ask, message: Body, name: str) -> None:
    """Earlier messages get the new shape; a replayed response stays the same bytes."""
    fake = FakeZiett(dialect=Dialect(accepted_status=True, ids="uuid7"))
    first = ask(fake, "POST", "/messages", message(), key="a")
    fake.use_dialect(name)
    assert fake.dialect == Dialect(name=name, accepted_status=True, ids="uuid7")  # type: ignore[arg-type]
    chosen = FakeZiett(dialect=fake.dialect)
    chosen.put(fake.messages[0])
    for path in ("/messages", f"/messages/{fake.messages[0].id}"):
        seen, expected = (json.loads(ask(each, "GET", path).body) for each in (fake, chosen))
        assert list(seen) == list(expected)
    assert ask(fake, "POST", "/messages", message(), key="a") == first
    fake.clear()
    assert fake.dialect == Dialect(accepted_status=True, ids="uuid7")


def test_timestamps_stay_distinct_when_the_dialect_changes(ask: Ask, message: Body) -> None:
    """The message after one with microseconds gets the next whole millisecond."""
    fake = FakeZiett()
    for name in ("site", "site", "reference", "site"):
        fake.use_dialect(name)
        ask(fake, "POST", "/messages", message())
    assert [row.created_at - START for row in fake.messages] == [
        timedelta(microseconds=each) for each in (0, 1, 1000, 1001)
    ]


def test_an_unknown_dialect_is_refused() -> None:
    """The error lists the choices, and nothing changes."""
    fake, names = FakeZiett(), "site, reference, conventions"
    for make in (lambda: Dialect(name="x"), lambda: fake.use_dialect("x")):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=f"^name must be one of: {names}; got 'x'$"):
            make()
    assert fake.dialect == Dialect()
    with pytest.raises(ValueError, match=r"^retrieve must be one of: site, reference; got 'core'$"):
        Dialect(retrieve="core")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "advice"), [("site", True), ("reference", True), ("conventions", False)]
)
def test_documented_messages_are_verbatim(
    ask: Ask, message: Body, name: str, *, advice: bool
) -> None:
    """Those of 401, 402, 422 and 500, from the service and from a scripted fault."""
    fake = FakeZiett(balance=0)
    fake.use_dialect(name)
    send = partial(ask, fake, "POST", "/messages")
    refused = {401: send(message(), api_key=None), 402: send(message()), 422: send({})}
    money = "Your account balance is too low to process this request."
    documented = {
        401: "The provided API key is invalid or has been revoked.",
        402: f"{money} Please top up your credits." if advice else money,
        422: "One or more fields failed validation.",
        500: "An unexpected error occurred. Please retry after a short delay.",
    }
    for status, words in documented.items():
        fake.faults.add(Fault.status(status))
        fault = fake.exchange(request_to_list()).response
        for answer in (fault, refused.get(status, fault)):
            assert answer is not None
            assert (answer.status, json.loads(answer.body)["message"]) == (status, words)


def request_to_list() -> Request:
    """Return a request to which the next fault happens."""
    return Request("GET", "https://api.ziett.co/c/v1/messages", (("x-api-key", "zk_test_x"),))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("site", "NOT_FOUND"),
        ("reference", "NOT_FOUND"),
        ("conventions", "RESOURCE_NOT_FOUND"),
    ],
)
def test_a_404_has_the_code_of_its_pages(ask: Ask, name: str, code: str) -> None:
    """For an unknown id, an unknown path and a scripted fault."""
    fake = FakeZiett()
    fake.use_dialect(name)
    fake.faults.add(Fault.status(404))
    fault = fake.exchange(request_to_list()).response
    paths = (f"/messages/{UUID(int=1)}", f"/campaigns/{UUID(int=1)}", "/contacts")
    for answer in (fault, *(ask(fake, "GET", path) for path in paths)):
        assert answer is not None
        assert (answer.status, json.loads(answer.body)["code"]) == (404, code)


def test_a_dialect_can_require_version_7(ask: Ask, message: Body, batch: Body) -> None:
    """Then any other UUID in a path, a body or a filter is a 422."""
    fake = FakeZiett(dialect=Dialect(ids="uuid7"))
    four = "7d444840-9dc0-41d1-b245-5ffdce74fad2"
    assert ask(fake, "POST", "/messages", message()).status == 202
    assert ask(fake, "GET", f"/messages/{fake.messages[0].id}").status == 200
    refused = {
        "remitter_id": ask(fake, "POST", "/messages", message(remitter_id=four)),
        "message_id": ask(fake, "GET", f"/messages/{four}"),
        "contact_id": ask(fake, "GET", f"/messages?contact_id={four}"),
        "campaign_id": ask(fake, "GET", f"/campaigns/{four}/messages"),
        "tag_id": ask(fake, "GET", f"/campaigns?tag_id={four}"),
    }
    for name, response in refused.items():
        assert fields(response) == {name: "must be a valid UUID v7"}
    response = ask(fake, "POST", "/campaigns/batch", batch(remitter_id=four))
    assert fields(response) == {"remitter_id": "must be a valid UUID v7"}
    assert ask(FakeZiett(), "POST", "/messages", message(remitter_id=four)).status == 202
