"""Parameters of the lists: 422 with each invalid one."""

import pytest

from tests.support.service_client import ServiceClient

#: Parameters that are invalid in every list, and in some.
OF_ALL = [
    ("page", "0"),
    ("page", "-1"),
    ("page", "one"),
    ("page", ""),
    ("size", "0"),
    ("size", "201"),
    ("size", "1.5"),
    ("order", "DESC"),
    ("order_by", "id"),
    ("channel_type", "EMAIL"),
    ("sms_remitter_id", "x"),
    ("created_at__ge", "yesterday"),
    ("created_at__le", "1720952400"),
]
OF_SOME = {
    "list_messages": [("status", "EXPIRED"), ("status", "Sent")],
    "list_campaigns": [("status", "SENT"), ("status", "DELIVERED"), ("tag_id", "x")],
    "list_campaign_messages": [("status", "EXPIRED")],
}


@pytest.mark.parametrize(
    ("operation", "name", "value"),
    [(each, *pair) for each, pairs in OF_SOME.items() for pair in (*OF_ALL, *pairs)],
)
def test_an_invalid_parameter_is_named(
    api: ServiceClient, operation: str, name: str, value: str
) -> None:
    """Statuses of messages are not statuses of campaigns."""
    response = api.call(operation, path_id=api.send_batch(), query={name: value})
    assert list(response.fields) == [name]


def test_all_invalid_parameters_are_reported_at_once(api: ServiceClient) -> None:
    """A 422 maps each invalid parameter to its message."""
    query = {
        "page": 0,
        "size": 201,
        "order": "up",
        "order_by": "id",
        "status": ("SENT", "Sent"),
        "channel_type": "FAX",
        "contact_id": "x",
        "created_at__ge": "yesterday",
    }
    assert api.call("list_messages", query=query).fields == {
        "page": "Ensure this value is greater than or equal to 1.",
        "size": "Ensure this value is less than or equal to 200.",
        "order": "Accepted values are: desc, asc.",
        "order_by": "Accepted values are: created_at, updated_at.",
        "status": "Accepted values are: PENDING, SENT, DELIVERED, FAILED, UNDELIVERED.",
        "channel_type": "Accepted values are: SMS, WHATSAPP.",
        "contact_id": "must be a UUID",
        "created_at__ge": "Value must conform to a valid ISO 8601 date-time format structure.",
    }
    response = api.call("list_messages", query={"page": "x"})
    assert response.fields == {"page": "must be an integer"}


@pytest.mark.parametrize("operation", ["list_messages", "list_campaigns", "list_campaign_messages"])
def test_unknown_parameters_are_ignored(api: ServiceClient, operation: str) -> None:
    """No page forbids them."""
    assert api.call(operation, path_id=api.send_batch(), query={"unknown": 1}).status == 200
