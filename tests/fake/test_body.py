"""The body of a POST: a JSON object, whose invalid fields are all reported at once."""

import pytest

from tests.support.requests import batch, message
from tests.support.samples import API_KEY
from tests.support.service_client import ServiceClient, encoded

#: Documented messages of `fields`, verbatim.
NUMBER = "Must be a valid E.164 formatted phone number (e.g., +244990090990)."
CHANNEL = "Accepted values are: SMS, WHATSAPP."
REQUIRED = "This field is required and cannot be empty."

WRONG_MESSAGES: list[tuple[dict[str, object], dict[str, str]]] = [
    ({"content": ""}, {"content": REQUIRED}),
    ({"content": None}, {"content": "must not be null"}),
    ({"content": 482910}, {"content": "must be a string"}),
    ({"content": "\ud800"}, {"content": "must be valid Unicode"}),
    ({"content": "x" * 1601}, {"content": "must have at most 1600 characters"}),
    ({"remitter_id": None}, {"remitter_id": "must not be null"}),
    ({"remitter_id": 7}, {"remitter_id": "must be a UUID"}),
    ({"remitter_id": "019b4b56"}, {"remitter_id": "must be a UUID"}),
    ({"channel_type": None}, {"channel_type": "must not be null"}),
    ({"channel_type": "sms"}, {"channel_type": CHANNEL}),
    ({"channel_type": "EMAIL"}, {"channel_type": CHANNEL}),
    ({"channel_type": "WHATSAPP"}, {"channel_type": CHANNEL}),
    ({"channel_type": ["SMS"]}, {"channel_type": CHANNEL}),
    ({"target_e164": None}, {"target_e164": "must not be null"}),
    ({"target_e164": ""}, {"target_e164": REQUIRED}),
    ({"target_e164": "244990090990"}, {"target_e164": NUMBER}),
    ({"target_e164": "+0990090990"}, {"target_e164": NUMBER}),
    ({"target_e164": "+2449900909901234"}, {"target_e164": NUMBER}),
    ({"target_e164": "+12"}, {"target_e164": NUMBER}),
    ({"target_e164": "+24412"}, {"target_e164": NUMBER}),
    ({"target_e164": "+244 990 090 990"}, {"target_e164": NUMBER}),
    ({"target_e164": "+244990090990\n"}, {"target_e164": NUMBER}),
    ({"save_contact": None}, {"save_contact": "must be an object"}),
    ({"save_contact": "Ana"}, {"save_contact": "must be an object"}),
    ({"save_contact": {}}, {"save_contact.name": REQUIRED}),
    ({"save_contact": {"name": 1}}, {"save_contact.name": "must be a string"}),
    (
        {"save_contact": {"name": "Ana", "email": "ana"}},
        {"save_contact.email": "must be a valid email address"},
    ),
    (
        {"save_contact": {"name": "Ana", "email": "ana@\x07b.ao"}},
        {"save_contact.email": "must be a valid email address"},
    ),
    ({"save_contact": {"name": "Ana", "tags": None}}, {"save_contact.tags": "must not be null"}),
    (
        {"save_contact": {"name": "Ana", "tags": "VIP"}},
        {"save_contact.tags": "must be an array of strings"},
    ),
    (
        {"save_contact": {"name": "Ana", "tags": {}}},
        {"save_contact.tags": "must be an array of strings"},
    ),
    ({"save_contact": {"name": "Ana", "tags": [1]}}, {"save_contact.tags.0": "must be a string"}),
    (
        {
            "remitter_id": "x",
            "channel_type": "WHATSAPP",
            "target_e164": "923456789",
            "content": "x" * 1601,
            "save_contact": {"email": "ana", "tags": ["ok", 3, ""]},
        },
        {
            "remitter_id": "must be a UUID",
            "channel_type": CHANNEL,
            "target_e164": NUMBER,
            "content": "must have at most 1600 characters",
            "save_contact.name": REQUIRED,
            "save_contact.email": "must be a valid email address",
            "save_contact.tags.1": "must be a string",
            "save_contact.tags.2": "must not be empty",
        },
    ),
]
FEW = "must have 2 to 1000 items"
WRONG_BATCHES: list[tuple[dict[str, object], dict[str, str]]] = [
    ({"remitter_id": "me"}, {"remitter_id": "must be a UUID"}),
    ({"content": ""}, {"content": REQUIRED}),
    ({"content": "x" * 10_001}, {"content": "must have at most 10000 characters"}),
    ({"channel_type": "WHATSAPP"}, {"channel_type": "Accepted values are: SMS."}),
    ({"recipients": None}, {"recipients": "must not be null"}),
    ({"recipients": "923456789,923456780"}, {"recipients": "must be an array of strings"}),
    ({"recipients": []}, {"recipients": FEW}),
    ({"recipients": ["923456789"]}, {"recipients": FEW}),
    ({"recipients": ["923456789"] * 1001}, {"recipients": FEW}),
    ({"recipients": ["923456789", "92345"]}, {"recipients.1": NUMBER}),
    ({"recipients": ["923456789", "ana"]}, {"recipients.1": NUMBER}),
    ({"recipients": ["923456789", "0000000"]}, {"recipients.1": NUMBER}),
    ({"recipients": ["923456789", "+24412"]}, {"recipients.1": NUMBER}),
    ({"recipients": ["923456789", "+244 12"]}, {"recipients.1": NUMBER}),
    ({"recipients": ["923456789", ". . . . "]}, {"recipients.1": NUMBER}),
    ({"recipients": ["923456789", "9" * 31]}, {"recipients.1": NUMBER}),
    ({"recipients": ["923456789", "++923456789"]}, {"recipients.1": NUMBER}),
    ({"recipients": ["923456789", "923456789\x00"]}, {"recipients.1": NUMBER}),
    (
        {"recipients": ["+244923456789", "912345678"], "country_alpha2": "KE"},
        {"recipients.1": NUMBER},
    ),
    ({"recipients": [923456789, "923456789"]}, {"recipients.0": "must be a string"}),
    ({"name": ""}, {"name": "must not be empty"}),
    ({"name": "x" * 201}, {"name": "must have at most 200 characters"}),
    ({"country_alpha2": "ao"}, {"country_alpha2": "must be two capital letters"}),
    ({"country_alpha2": "AGO"}, {"country_alpha2": "must be two capital letters"}),
    (
        {
            "channel_type": "WHATSAPP",
            "content": "x" * 10_001,
            "recipients": ["923456789", "ana", 7],
            "name": "",
            "country_alpha2": "ao",
        },
        {
            "channel_type": "Accepted values are: SMS.",
            "content": "must have at most 10000 characters",
            "recipients.1": NUMBER,
            "recipients.2": "must be a string",
            "name": "must not be empty",
            "country_alpha2": "must be two capital letters",
        },
    ),
]


@pytest.mark.parametrize(("changes", "fields"), WRONG_MESSAGES)
def test_an_invalid_field_of_a_message_is_reported(
    api: ServiceClient, changes: dict[str, object], fields: dict[str, str]
) -> None:
    """By its path and with its message; nothing is coerced, sent or charged."""
    balance = api.fake.balance
    assert api.call("send_message", message(**changes)).fields == fields
    assert (api.fake.messages, api.fake.balance) == ([], balance)


@pytest.mark.parametrize(("changes", "fields"), WRONG_BATCHES)
def test_an_invalid_field_of_a_batch_is_reported(
    api: ServiceClient, changes: dict[str, object], fields: dict[str, str]
) -> None:
    """A recipient by its index; nothing is sent to the others."""
    assert api.call("send_batch_campaign", batch(**changes)).fields == fields
    assert not [*api.fake.campaigns, *api.fake.messages]


@pytest.mark.parametrize(
    ("operation", "required"),
    [
        ("send_message", ["remitter_id", "channel_type", "target_e164", "content"]),
        ("send_batch_campaign", ["remitter_id", "channel_type", "content", "recipients"]),
    ],
)
def test_required_fields_are_required(
    api: ServiceClient, operation: str, required: list[str]
) -> None:
    """An empty object is refused for all of them."""
    assert api.call(operation, {}).fields == dict.fromkeys(required, REQUIRED)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", REQUIRED),
        (b"{", "must be valid JSON"),
        (b'{"content": NaN}', "must be valid JSON"),
        (b"\xff\xfe\xff", "must be valid JSON"),
        ("{}".encode("utf-16"), "must be valid JSON"),
        (b"\xef\xbb\xbf{}", "must be valid JSON"),
        (b"[" * 100_000, "must be valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"{}"', "must be a JSON object"),
    ],
)
def test_a_body_that_is_not_an_object_is_a_422(
    api: ServiceClient, raw: bytes, problem: str
) -> None:
    """Whatever its bytes are, the response is an error object."""
    assert api.call("send_message", raw).fields == {"body": problem}


def test_an_oversized_body_is_a_413(api: ServiceClient) -> None:
    """One byte more than a megabyte is refused; a megabyte is read, and is no JSON."""
    response = api.call("send_message", b" " * (2**20 + 1))
    assert (response.status, response.code) == (413, "PAYLOAD_TOO_LARGE")
    assert api.call("send_message", b" " * 2**20).fields == {"body": "must be valid JSON"}


def test_a_body_is_declared_as_json(api: ServiceClient) -> None:
    """Any other media type, or none, is a 415; parameters and case are ignored."""
    key, body = {"X-API-KEY": API_KEY}, encoded(message())
    for wrong in ({}, {"Content-Type": "text/plain"}):
        response = api.request("POST", "/messages", key | wrong, body)
        assert (response.status, response.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
    typed = key | {"Content-Type": "Application/JSON ; charset=utf-8"}
    assert api.request("POST", "/messages", typed, body).status == 202
