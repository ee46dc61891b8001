"""The switches of a dialect: its names, timestamps and ids."""

import re
from datetime import datetime

import pytest

from tests.fake.conftest import ServeApi
from tests.support.requests import message
from tests.support.service_client import ServiceClient
from ziett_async.testing import Dialect, FakeZiett

MICROSECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"
FORMS = {
    "offset": MICROSECONDS + r"\+00:00",
    "z": MICROSECONDS + "Z",
    "milliseconds": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "truncated": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
}


@pytest.mark.parametrize("timestamps", FORMS)
def test_timestamps_have_three_forms(serve_api: ServeApi, timestamps: str) -> None:
    """An offset, a `Z`, milliseconds and a `Z`: in entities and in errors alike."""
    api = serve_api(dialect=Dialect(timestamps=timestamps))  # type: ignore[arg-type]
    message_id = api.send()
    found = [
        api.message(message_id)["created_at"],
        api.messages()["entries"][0]["updated_at"],
        api.call("get_message").json["timestamp"],
    ]
    for text in found:
        assert re.fullmatch(FORMS[timestamps], text)
        assert datetime.fromisoformat(text) == api.clock.now()


def test_what_is_accepted_later_is_later(api: ServiceClient) -> None:
    """By as much as the clock has moved."""
    api.clock.advance(3600.25)
    api.send()
    assert api.messages()["entries"][0]["created_at"] == "2025-07-14T11:30:00.250000+00:00"


@pytest.mark.parametrize("code", ["NOT_FOUND", "RESOURCE_NOT_FOUND"])
def test_a_404_has_two_codes(serve_api: ServeApi, code: str) -> None:
    """The switch is independent of the others."""
    api = serve_api(dialect=Dialect(not_found=code))  # type: ignore[arg-type]
    for operation in ("get_message", "get_campaign", "list_campaign_messages"):
        assert api.call(operation).code == code


@pytest.mark.parametrize("name", ["site", "reference", "conventions"])
def test_the_dialect_of_a_running_fake_can_change(serve_api: ServeApi, name: str) -> None:
    """Earlier messages get the new shape; a replayed response stays the same bytes."""
    api = serve_api(dialect=Dialect(accepted_status=True, ids="uuid7"))
    first = api.call("send_message", key="a")
    api.fake.use_dialect(name)
    expected = Dialect(name=name, accepted_status=True, ids="uuid7")  # type: ignore[arg-type]
    assert api.fake.dialect == expected
    chosen = serve_api(dialect=expected)
    [record] = api.fake.messages
    chosen.fake.put(record)
    assert list(api.messages()["entries"][0]) == list(chosen.messages()["entries"][0])
    assert list(api.message(record.id)) == list(chosen.message(record.id))
    assert api.call("send_message", key="a").body == first.body
    api.fake.clear()
    assert api.fake.dialect == Dialect(accepted_status=True, ids="uuid7")


def test_an_unknown_dialect_is_refused() -> None:
    """The error lists the choices, and nothing changes."""
    fake, names = FakeZiett(), "site, reference, conventions"
    for make in (lambda: Dialect(name="x"), lambda: fake.use_dialect("x")):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=f"^name must be one of: {names}; got 'x'$"):
            make()
    assert fake.dialect == Dialect()
    with pytest.raises(ValueError, match=r"^retrieve must be one of: site, reference; got 'core'$"):
        Dialect(retrieve="core")  # type: ignore[arg-type]


def test_a_dialect_can_require_version_7(serve_api: ServeApi) -> None:
    """Then any other UUID in a path, a body or a filter is a 422."""
    api = serve_api(dialect=Dialect(ids="uuid7"))
    four = "7d444840-9dc0-41d1-b245-5ffdce74fad2"
    assert api.message(api.send())
    refused = {
        "remitter_id": api.call("send_message", message(remitter_id=four)),
        "message_id": api.call("get_message", path_id=four),
        "contact_id": api.call("list_messages", query={"contact_id": four}),
        "campaign_id": api.call("list_campaign_messages", path_id=four),
        "tag_id": api.call("list_campaigns", query={"tag_id": four}),
    }
    for name, response in refused.items():
        assert response.fields == {name: "must be a valid UUID v7"}
    batch = {**message(remitter_id=four), "recipients": ["923456789", "923456780"]}
    fields = api.call("send_batch_campaign", batch).fields
    assert fields == {"remitter_id": "must be a valid UUID v7"}
    assert serve_api().send(remitter_id=four)
