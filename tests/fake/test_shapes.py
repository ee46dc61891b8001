"""The shapes of messages, campaigns, contacts and list entries, by dialect."""

import json
from pathlib import Path
from typing import cast

import pytest

from tests.fake.conftest import ServeApi
from tests.support.description import fields_of
from tests.support.samples import REMITTER
from tests.support.service_client import ServiceClient, ids
from tests.support.services import START
from ziett_async.testing import Dialect, FakeZiett

ANA = {"name": "Ana", "email": "ana@example.ao", "tags": ["Premium"]}
#: What the published pages print, verbatim.
PUBLISHED = json.loads((Path(__file__).parents[1] / "wire/published/answers.json").read_bytes())
#: The published responses that a dialect gives, each with the query that finds the row.
READS = {
    "get_message.200.site": {},
    "list_messages.200.site": {"q": "911"},
    "get_campaign.200.site": {},
    "get_message.200.reference": {},
    "list_messages.200.reference": {"q": "911"},
    "list_campaign_messages.200.reference": {"q": "911"},
    "get_campaign.200.reference": {},
    "list_campaigns.200.reference": {"q": "July"},
}


def keys(value: object) -> object:
    """Return the keys of a document in order, at every depth except in `data`."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value).items()
        return [(name, None if name == "data" else keys(each)) for name, each in fields]
    return [keys(each) for each in cast("list[object]", value)] if isinstance(value, list) else None


@pytest.mark.parametrize("name", READS)
def test_a_response_has_the_keys_of_the_page_in_order(serve_api: ServeApi, name: str) -> None:
    """As the pages of the dialect print them, nested objects included."""
    operation, _, dialect = name.split(".")
    api = serve_api()
    api.fake.use_dialect(dialect)
    api.send(target_e164="+244911000000", save_contact=ANA)
    campaign_id = api.send_batch(name="July")
    row = next(each for each in api.fake.inbox("+244911000000") if each.campaign_id)
    path_id = row.id if operation == "get_message" else campaign_id
    query = READS[name] | ({"size": 1} if operation.startswith("list") else {})
    assert keys(api.get(operation, path_id, **query)) == keys(PUBLISHED[name])


@pytest.mark.parametrize("operation", ["send_message", "send_batch_campaign"])
def test_an_acceptance_has_the_keys_of_the_page_in_order(
    api: ServiceClient, operation: str
) -> None:
    """As the current pages print them."""
    assert keys(api.call(operation).json) == keys(PUBLISHED[f"{operation}.202.site"])


def test_an_entry_of_the_conventions_begins_with_the_keys_of_its_page(api: ServiceClient) -> None:
    """The page shows only some keys; the others are those of the page of the list."""
    api.send()
    [usual] = api.messages()["entries"]
    api.fake.use_dialect("conventions")
    [entry] = api.messages()["entries"]
    printed = list(PUBLISHED["conventions.entry (abridged on the page)"])
    assert list(entry)[: len(printed)] == printed
    renamed = {"target_e164": "to", "content": "body"}
    assert {renamed.get(each, each) for each in usual} == set(entry)
    assert (entry["to"], entry["body"]) == (usual["target_e164"], usual["content"])
    assert entry["status"] == "pending"


def test_an_entry_of_the_conventions_can_have_any_timestamps(serve_api: ServeApi) -> None:
    """Its switch is independent of theirs."""
    api = serve_api(dialect=Dialect(list_entry="conventions", timestamps="z"))
    api.fake.add_message(created_at=START)
    [entry] = api.messages()["entries"]
    assert set(entry) == fields_of("ConventionsMessage")
    assert (entry["to"], entry["body"], entry["status"]) == ("+244923000000", "Hello", "delivered")
    assert entry["created_at"] == "2025-07-14T10:30:00.000000Z"


def test_a_list_entry_has_the_documented_fields(api: ServiceClient) -> None:
    """It has twelve, as on the page."""
    message_id = api.send()
    api.clock.advance(4)
    page = api.messages()
    assert set(page["entries"][0]) == fields_of("ListedMessage")
    assert page == {
        "entries": [
            {
                "id": message_id,
                "remitter_id": REMITTER,
                "campaign_id": None,
                "contact_id": None,
                "channel_type": "SMS",
                "channel_destination": "UNITEL",
                "target_e164": "+244923456789",
                "content": "Your code is 482910.",
                "status": "DELIVERED",
                "error_code": None,
                "created_at": "2025-07-14T10:30:00.000000+00:00",
                "updated_at": "2025-07-14T10:30:04.000000+00:00",
            }
        ],
        "total": 1,
        "page": 1,
        "size": 30,
        "pages": 1,
    }


def test_a_message_is_retrieved_as_the_current_page_prints_it(api: ServiceClient) -> None:
    """With twenty keys in order, no contact, and `external_id` null."""
    message_id = api.send(save_contact=ANA)
    [record] = api.fake.messages
    detail = api.message(message_id)
    assert set(detail) == fields_of("Message") - {"provider_id", "contact", "campaign"}
    assert list(detail.items()) == [
        ("id", message_id),
        ("organization_id", detail["organization_id"]),
        ("billing_account_id", detail["billing_account_id"]),
        ("campaign_id", None),
        ("contact_id", str(record.contact_id)),
        ("sms_remitter_id", REMITTER),
        ("sms_remitter", {"id": REMITTER, "name": "ZIETT"}),
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


def test_a_message_refers_to_its_campaign(api: ServiceClient) -> None:
    """By its id, alone and in a list."""
    campaign_id = api.send_batch()
    for entry in api.messages()["entries"]:
        assert entry["campaign_id"] == api.message(entry["id"])["campaign_id"] == campaign_id


def test_an_earlier_message_has_no_contact(serve_api: ServeApi) -> None:
    """A contact that is saved later is that of later messages."""
    api = serve_api(dialect=Dialect(name="reference"))
    before = api.send()
    after = api.send(save_contact=ANA)
    assert api.message(before)["contact"] is None
    assert api.message(after)["contact"]["name"] == "Ana"


def test_an_account_has_one_organization(api: ServiceClient) -> None:
    """Messages and campaigns have the same one, and the same billing account, which is another."""
    detail = api.message(api.send())
    campaign = api.get("get_campaign", api.send_batch())
    names = ("organization_id", "billing_account_id")
    assert [detail[name] for name in names] == [campaign[name] for name in names]
    assert len({detail[name] for name in names}) == 2


def test_a_message_is_retrieved_as_the_older_reference_prints_it(serve_api: ServeApi) -> None:
    """With its keys in order, contact and campaign as objects; list entries are the same."""
    api = serve_api(dialect=Dialect(name="reference"))
    api.send(save_contact=ANA)
    campaign_id = api.send_batch(name="July")
    record = api.fake.messages[1]
    detail = api.message(record.id)
    campaign = api.fake.dialect.format_timestamp(api.fake.campaigns[0].created_at)
    assert set(detail) == fields_of("Message") - {"provider_name"}
    assert list(detail.items()) == [
        ("id", str(record.id)),
        ("updated_at", "2025-07-14T10:30:00.002Z"),
        ("created_at", "2025-07-14T10:30:00.002Z"),
        ("organization_id", detail["organization_id"]),
        ("campaign_id", campaign_id),
        ("contact_id", str(record.contact_id)),
        ("sms_remitter_id", REMITTER),
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
                "email": "ana@example.ao",
                "e164_format": "+244923456789",
                "organization_id": detail["organization_id"],
            },
        ),
        (
            "campaign",
            {
                "id": campaign_id,
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
    assert api.messages(q=record.id)["entries"] == [detail]
    page = api.get("list_campaign_messages", campaign_id, order="asc", size=1)
    assert page["entries"] == [detail]


def test_a_message_without_contact_and_campaign_has_nulls_in_the_older_reference(
    serve_api: ServeApi,
) -> None:
    """And no provider, if no page names the operator's provider."""
    api = serve_api(dialect=Dialect(retrieve="reference"))
    detail = api.message(api.send(target_e164="+351912345678"))
    assert [detail[name] for name in ("contact", "campaign", "provider_id")] == [None] * 3


@pytest.mark.parametrize(("number", "provider"), [("+244950000000", None), ("+351912345678", None)])
def test_only_the_documented_provider_has_a_name(
    api: ServiceClient, number: str, provider: str | None
) -> None:
    """No page names that of another operator than UNITEL."""
    assert api.message(api.send(target_e164=number))["provider_name"] == provider


@pytest.mark.parametrize("retrieve", ["site", "reference"])
@pytest.mark.parametrize("list_entry", ["site", "reference", "conventions"])
def test_readings_are_mixed(serve_api: ServeApi, retrieve: str, list_entry: str) -> None:
    """List and retrieve may each follow another page, and still describe the same message."""
    api = serve_api(dialect=Dialect(retrieve=retrieve, list_entry=list_entry))  # type: ignore[arg-type]
    message_id = api.send()
    assert ids(api.messages()) == [api.message(message_id)["id"]] == [message_id]


def test_a_retrieved_campaign_has_the_documented_fields(api: ServiceClient) -> None:
    """It has twenty, and so has an entry of the list."""
    campaign_id = api.send_batch(name="Sunday")
    detail = api.get("get_campaign", campaign_id)
    assert set(detail) == fields_of("Campaign")
    assert detail == {
        "id": campaign_id,
        "name": "Sunday",
        "status": "PROCESSING",
        "organization_id": detail["organization_id"],
        "billing_account_id": detail["billing_account_id"],
        "trigger_source": "API",
        "file_metadata_id": None,
        "channel_type": "SMS",
        "sms_remitter_id": REMITTER,
        "sms_remitter": {"id": REMITTER, "name": "ZIETT"},
        "content": "Hello",
        "total_estimated_recipients": 3,
        "scheduled_at": None,
        "processed_at": None,
        "completed_at": None,
        "error_code": None,
        "status_note": None,
        "data": {},
        "created_at": "2025-07-14T10:30:00.000000+00:00",
        "updated_at": None,
    }
    assert api.get("list_campaigns")["entries"] == [detail]
    assert api.get("get_campaign", api.send_batch())["name"] is None


@pytest.mark.parametrize("name", ["site", "reference", "conventions"])
def test_a_campaign_is_as_its_pages_print_it(serve_api: ServeApi, name: str) -> None:
    """The older reference begins with the moments, and names the sender without its id."""
    api = serve_api(dialect=Dialect(name=name))  # type: ignore[arg-type]
    campaign = api.get("get_campaign", api.send_batch())
    first, last = ["id", "name", "status"], ["data", "created_at", "updated_at"]
    sender: dict[str, str] = {"id": REMITTER, "name": "ZIETT"}
    if name == "reference":
        first, last = ["id", "updated_at", "created_at", "name", "status"], ["data"]
        del sender["id"]
    assert list(campaign)[: len(first)] == first
    assert list(campaign)[-len(last) :] == last
    assert campaign["sms_remitter"] == sender
    assert campaign["trigger_source"] == ("API_CLIENT" if name == "reference" else "API")
    assert api.get("list_campaigns")["entries"] == [campaign]


def test_what_was_added_by_hand_is_read_over_the_wire(api: ServiceClient) -> None:
    """And what was sent over the wire is read by hand."""
    row = api.fake.add_message(content="By hand")
    assert isinstance(api.fake, FakeZiett)
    assert api.message(row.id)["content"] == "By hand"
    message_id = api.send()
    assert [str(each.id) for each in api.fake.messages] == [str(row.id), message_id]
