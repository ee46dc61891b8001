"""The contact that a send may save (API page, Send a Message)."""

from collections.abc import Mapping
from typing import Any, cast

from ziett_async import _validation as check
from ziett_async._validation import Fields, Invalid
from ziett_async.models import SaveContact


def contact_body(fields: Fields, value: object) -> dict[str, object]:
    """Return the contact to be saved, without the fields that were left out."""
    given = fields.check("save_contact", _contact, value)
    if given is None:
        return {}
    body: dict[str, object] = {"name": fields.check("save_contact.name", check.text, given.name)}
    if given.email is not None:
        body["email"] = fields.check("save_contact.email", check.email, given.email)
    if given.tags is not None:
        body["tags"] = fields.check("save_contact.tags", check.texts, given.tags)
    return body


def _contact(value: object) -> SaveContact:
    if isinstance(value, SaveContact):
        return value
    if isinstance(value, Mapping):
        given = cast("Mapping[str, Any]", value)
        if given.keys() <= {"name", "email", "tags"}:
            fields: dict[str, Any] = {"name": None, **given}
            return SaveContact(**fields)
    raise Invalid("must be a SaveContact, or a mapping of name, email and tags and nothing else")
