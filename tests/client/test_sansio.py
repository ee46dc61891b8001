"""A call to bytes, and bytes to a result or an error."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import NoneType
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import REMITTER, attempts
from ziett_async._codec import Undecodable
from ziett_async._operation import Bucket, Operation, Query
from ziett_async._sansio import Origin, retry_after, to_problem, to_request, to_result
from ziett_async._wire import Headers, Response
from ziett_async.errors import ApiError, InvalidRequest, Trail
from ziett_async.models import AcceptedMessage, CallInfo, ErrorCode, Message, Page
from ziett_async.models._problem import Problem

ID = REMITTER
NUMBER, CONTENT = "+244990090990", "Olá Ana, your code is 482910."
KEY = "zk_live_51H8"
HEADERS = (("x-api-key", KEY), ("accept", "application/json"))
ORIGIN = Origin("https://api.ziett.co/c/v1", HEADERS, KEY)
JSON_TYPE = ("content-type", "application/json")
SEND = Operation("send_message", "POST", "/messages", AcceptedMessage, Bucket.SEND)
GET = Operation("get_message", "GET", "/messages/{message_id}", Message, Bucket.READ)
LIST = Operation("list_messages", "GET", "/messages", Page[Message], Bucket.LIST)
CANCEL = Operation("cancel", "POST", "/messages/{message_id}/cancel", Message, Bucket.SEND)
#: A result may be no more than a JSON object.
OBJECT: object = Mapping[str, object]
PAGE: dict[str, object] = {"entries": [], "total": 0, "page": 1, "size": 30, "pages": 0}
BODY = {"target_e164": NUMBER, "content": CONTENT}
SENT = SEND(body=BODY)
INFO = CallInfo(attempts(2, 202), 1.5)
THEN = 1445412480.0
GMT = "Wed, 21 Oct 2015 07:28:00 GMT"
LATER = "Wed, 21 Oct 2015 07:28:10 GMT"


def answer(body: object, status: int = 422, *headers: tuple[str, str]) -> Response:
    """Return a response whose body is JSON."""
    return Response(status, headers, json.dumps(body).encode())


def test_a_call_with_a_body_is_encoded_once_and_whole() -> None:
    """Method, address, the key of the API, type, idempotency key, compact UTF-8, seconds."""
    request = to_request(SENT, ORIGIN, "key-1", 15.0)
    assert attrs.astuple(request, recurse=False) == (
        "POST",
        "https://api.ziett.co/c/v1/messages",
        (*ORIGIN.headers, JSON_TYPE, ("idempotency-key", "key-1")),
        f'{{"target_e164":"{NUMBER}","content":"{CONTENT}"}}'.encode(),
        15.0,
    )


def test_a_read_has_neither_body_nor_key() -> None:
    """A GET is its address and the client's own headers."""
    call = GET(path={"message_id": ID})
    url = f"https://api.ziett.co/c/v1/messages/{ID}"
    request = to_request(call, ORIGIN, None, 3.0)
    assert attrs.astuple(request, recurse=False) == ("GET", url, ORIGIN.headers, b"", 3.0)


def test_a_post_without_a_body_carries_its_key() -> None:
    """What is executed by a bare POST must not be executed twice either."""
    request = to_request(CANCEL(path={"message_id": ID}), ORIGIN, "key-1", 15.0)
    assert request.headers == (*ORIGIN.headers, ("idempotency-key", "key-1"))
    assert request.body == b""


def test_a_body_without_a_key_is_sent_without_one() -> None:
    """A PATCH may be repeated as it is."""
    patch = Operation("rename", "PATCH", "/messages", Message, Bucket.SEND)
    assert to_request(patch(body={}), ORIGIN, None, 1.0).headers == (*ORIGIN.headers, JSON_TYPE)


@pytest.mark.parametrize(
    ("query", "encoded"),
    [
        ([("status", "SENT"), ("status", "FAILED")], "status=SENT&status=FAILED"),
        ([("q", "+244 990&x=y#z")], "q=%2B244+990%26x%3Dy%23z"),
        ([("q", "Olá/?")], "q=Ol%C3%A1%2F%3F"),
        (
            [("created_at__ge", "2025-07-14T10:30:00.000000+00:00")],
            "created_at__ge=2025-07-14T10%3A30%3A00.000000%2B00%3A00",
        ),
    ],
)
def test_a_query_is_quoted_and_repeats_its_names(query: Query, encoded: str) -> None:
    """Several values repeat the parameter; a plus, which means a space, is quoted."""
    request = to_request(LIST(query=query), ORIGIN, None, 1.0)
    assert request.url == f"https://api.ziett.co/c/v1/messages?{encoded}"


CHARACTERS = st.characters(exclude_categories=["Cs"])


@given(st.lists(st.tuples(st.text(CHARACTERS, min_size=1), st.text(CHARACTERS))))
def test_the_server_reads_the_query_that_was_given(query: list[tuple[str, str]]) -> None:
    """Whatever the values hold, they arrive alike, in order, and the URL is ASCII."""
    url = to_request(LIST(query=query), ORIGIN, None, 1.0).url
    assert url.isascii()
    assert urlsplit(url).path == "/c/v1/messages"
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == query


def test_an_origin_does_not_show_the_key() -> None:
    """The repr of what a client is built from has its address only."""
    assert KEY not in repr(ORIGIN)
    assert ORIGIN.base_url in repr(ORIGIN)


def test_a_result_has_the_facts_of_its_call() -> None:
    """The answer's fields, the key that was sent, and how the call went."""
    answered = answer({"message_id": ID, "status": "QUEUED"}, 202)
    assert to_result(SENT, answered, INFO, "key-1") == AcceptedMessage(UUID(ID), "key-1", INFO)


@pytest.mark.parametrize(
    ("trace", "read"), [("trace-7", "trace-7"), (None, None), (7, None), ({}, None)]
)
def test_a_result_has_the_trace_id_if_there_is_one(trace: object, read: str | None) -> None:
    """A trace id beside the result is kept with the call; one that is no string is none."""
    result = to_result(SENT, answer({"message_id": ID, "trace_id": trace}, 202), INFO, "key-1")
    assert result.call.trace_id == read
    assert (result.call.attempts, result.call.status) == (2, 202)


def test_a_server_cannot_speak_for_the_call() -> None:
    """Fields of an answer that are called as our own facts do not replace them."""
    spoken = {"message_id": ID, "idempotency_key": "theirs", "call": {"attempts": 9}}
    result = to_result(SENT, answer(spoken, 202), INFO, "ours")
    assert (result.idempotency_key, result.call) == ("ours", INFO)


def test_what_a_result_has_no_field_for_is_kept_aside() -> None:
    """Facts of the call are only put where a result holds them; such keys are the server's."""
    spoken = {"call": {"attempts": 9}, "idempotency_key": "theirs", "trace_id": "trace-7"}
    message = {"id": ID, "to": NUMBER, "status": "SENT"}
    call = GET(path={"message_id": ID})
    assert to_result(call, answer({**message, **spoken}, 200), INFO, None).extra == spoken
    assert to_result(call, answer(message, 200), INFO, None).extra == {}
    page = to_result(LIST(), answer({**PAGE, **spoken}, 200), INFO, None)
    assert page.extra == {"idempotency_key": "theirs", "trace_id": "trace-7"}
    bare = Operation("x", "GET", "/x", cast("type[Mapping[str, object]]", OBJECT), Bucket.READ)
    assert to_result(bare(), answer(spoken, 200), INFO, None) == spoken


NO_RESULT: list[Operation[None]] = [
    Operation("remove", "DELETE", "/messages/1", NoneType, Bucket.SEND),
    Operation("remove", "DELETE", "/messages/1", cast("type[None]", None), Bucket.SEND),
]


@pytest.mark.parametrize("operation", NO_RESULT, ids=["NoneType", "None"])
@pytest.mark.parametrize(
    "response",
    [Response(204, ()), Response(200, ()), Response(202, ()), answer({"message_id": 7}, 200)],
    ids=["204", "200 without a body", "202 without a body", "200 with an object"],
)
def test_an_operation_without_a_result_returns_none(
    operation: Operation[None], response: Response
) -> None:
    """The success is all there is to know; an object in the body is not looked into."""
    result: object = to_result(operation(), response, INFO, None)
    assert result is None


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (Response(200, (), b"<html>Sign in</html>"), "the body is not JSON"),
        (answer([], 200), "the body is JSON, but not an object"),
    ],
)
def test_a_page_is_no_success_without_a_result(response: Response, words: str) -> None:
    """What a proxy answers in place of the service is not taken for a success."""
    with pytest.raises(Undecodable, match=words):
        to_result(NO_RESULT[0](), response, INFO, None)


@pytest.mark.parametrize(
    "encoding", [(), (("Content-Encoding", "Identity"),), (("content-encoding", ""),)]
)
def test_a_body_as_it_was_asked_for_is_read(encoding: Headers) -> None:
    """No content encoding, or the one that means none."""
    result = to_result(SENT, answer({"message_id": ID}, 202, *encoding), INFO, "key-1")
    assert str(result.message_id) == ID


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (Response(202, ()), "the body is empty"),
        (Response(204, ()), "the body is empty"),
        (Response(200, (), b"<html>"), "the body is not JSON"),
        (answer([{"message_id": ID}], 202), "the body is JSON, but not an object"),
        (answer(None, 202), "the body is JSON, but not an object"),
        (answer({}, 202), "message_id: missing"),
        (answer({"message_id": 7}, 202), "message_id: expected a UUID, got an integer"),
        (
            Response(202, (("Content-Encoding", "gzip"),), gzip.compress(b'{"message_id": 7}')),
            "the body has a content encoding, which was not asked for",
        ),
    ],
)
def test_an_answer_that_is_not_the_result_says_why(response: Response, words: str) -> None:
    """A success without what the operation returns is unusable, and the reason is one line."""
    with pytest.raises(Undecodable) as caught:
        to_result(SENT, response, INFO, "key-1")
    assert str(caught.value) == words


REFUSAL: dict[str, object] = {
    "code": "VALIDATION_ERROR",
    "message": "Invalid input",
    "status": 422,
    "trace_id": "trace-7",
    "timestamp": "2025-07-14T10:30:00.000000+00:00",
    "service": "core",
    "fields": {"content": "too long"},
}
PROBLEM = Problem(
    422,
    ErrorCode.VALIDATION_ERROR,
    "Invalid input",
    "trace-7",
    datetime(2025, 7, 14, 10, 30, tzinfo=UTC),
    "core",
    {"content": "too long"},
    7.0,
)


def test_the_error_object_is_read_whole() -> None:
    """Every documented field arrives, and the wait that the header asks for."""
    assert to_problem(SENT, answer(REFUSAL, 422, ("Retry-After", "7")), THEN) == PROBLEM


@pytest.mark.parametrize("status", [302, 401, 418, 429, 500, 599])
def test_the_status_is_the_one_of_the_answer(status: int) -> None:
    """A status in the body is ignored: the response has its own."""
    assert to_problem(SENT, answer(REFUSAL, status), THEN).status == status


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (Response(502, ()), "no error object, but 0 bytes of unknown type"),
        (
            Response(502, (("Content-Type", "text/html"),), b"<html>502</html>"),
            "no error object, but 16 bytes of text/html",
        ),
        (answer(["code"], 400), "no error object, but 8 bytes of unknown type"),
        (answer({}, 400), "no error object, but 2 bytes of unknown type"),
        (answer({"message": ""}, 400), "no error object, but 15 bytes of unknown type"),
        (Response(500, (), b"\xff\xfe"), "no error object, but 2 bytes of unknown type"),
        (
            Response(500, (("content-encoding", "br"), ("content-type", "text/html")), b"\x8b"),
            "no error object, but 1 bytes of text/html",
        ),
    ],
)
def test_a_page_is_described_and_not_quoted(response: Response, message: str) -> None:
    """What a proxy sends in place of the error object is its size and type, no more."""
    assert to_problem(SENT, response, THEN) == Problem(response.status, message=message)


@pytest.mark.parametrize("wrong", [None, 7, True, [], {}, 1.5])
@pytest.mark.parametrize("name", ["code", "trace_id", "timestamp", "service", "fields", "message"])
def test_a_field_of_the_wrong_type_is_left_out(name: str, wrong: object) -> None:
    """Of an incomplete error object every readable field is kept."""
    problem = to_problem(SENT, answer({**REFUSAL, name: wrong}), THEN)
    empty: object = {} if name == "fields" else None
    described = problem.message.startswith("no error object")
    assert described if name == "message" else getattr(problem, name) == empty
    others = {"code", "trace_id", "timestamp", "service", "fields", "message"} - {name}
    assert {each: getattr(problem, each) for each in others} == {
        each: getattr(PROBLEM, each) for each in others
    }


@pytest.mark.parametrize("timestamp", ["", "yesterday", "2025-07-14", "2025-07-14T10:30:00"])
def test_a_timestamp_is_aware_or_none(timestamp: str) -> None:
    """A moment without a zone is no moment."""
    assert to_problem(SENT, answer({**REFUSAL, "timestamp": timestamp}), THEN).timestamp is None


def test_an_undocumented_code_is_kept() -> None:
    """New codes may appear at any time; an empty one is none."""
    code = to_problem(SENT, answer({"code": "NEW_CODE"}), THEN).code
    assert (code, code is not None and code.is_unknown) == ("NEW_CODE", True)
    assert to_problem(SENT, answer({"code": ""}), THEN).code is None


def test_what_the_server_quotes_is_masked() -> None:
    """A number, a text or a key that the server repeats is in no field of the error."""
    quoted = f"{CONTENT!r} to {NUMBER}, alias 990090990, with {KEY}"
    body = {"message": quoted, "fields": {"content": quoted, NUMBER: quoted, "tags": [quoted]}}
    problem = to_problem(SENT, answer(body), THEN)
    for private in (CONTENT, "482910", NUMBER, "990090990", KEY):
        assert private not in f"{problem}"
        assert private not in str(ApiError.of(Trail("send_message", attempts(1)), problem))
    assert problem.message == "'***' to ***, alias ***, with ***"
    assert set(problem.fields) == {"content", "***", "tags"}


def test_the_name_of_a_field_stays_readable() -> None:
    """A name of the request's own is shown although its content has the word; others are masked."""
    call = SEND(
        body={"content": "recipients", "recipients": [], "note": CONTENT, "pin": "girassol"}
    )
    fields = {"recipients": "a", "recipients[17].email": "b", CONTENT: "c", "x.girassol": "d"}
    problem = to_problem(call, answer({"fields": fields}), THEN)
    assert problem.fields == {
        "recipients": "a",
        "recipients[17].email": "b",
        "***": "c",
        "x.***": "d",
    }


def test_a_label_that_the_request_held_is_left_out() -> None:
    """A trace id that repeats the recipient in any form is none; a documented code always is."""
    call = SEND(body={"target_e164": NUMBER, "content": "VALIDATION_ERROR at HOST_IS_DOWN"})
    trace = f"sms-{NUMBER[4:8]}-{NUMBER[8:]}"
    problem = to_problem(call, answer({"code": "VALIDATION_ERROR", "trace_id": trace}), THEN)
    assert (problem.code, problem.trace_id) == ("VALIDATION_ERROR", None)
    assert to_problem(call, answer({"code": "HOST_IS_DOWN"}), THEN).code is None
    info = CallInfo(attempts(1, 202), 0.1)
    accepted = {"message_id": str(UUID(int=7)), "trace_id": trace}
    assert to_result(call, answer(accepted), info, "k").call.trace_id is None


def test_a_part_of_a_number_that_was_searched_for_is_masked() -> None:
    """What a list was narrowed by is as private as what a message was sent to; words are not."""
    call = LIST(query=[("q", "99009"), ("status", "DELIVERED"), ("size", "200")])
    message = "q: 99009, status: DELIVERED, size: 200"
    problem = to_problem(call, answer({"message": message}), THEN)
    assert problem.message == "q: ***, status: DELIVERED, size: 200"


@pytest.mark.parametrize("name", ["code", "trace_id", "service"])
def test_a_key_is_no_label(name: str) -> None:
    """A key in the place of a code or an id is not repeated."""
    problem = to_problem(SENT, answer({**REFUSAL, name: KEY}), THEN)
    assert getattr(problem, name) is None


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("x" * 1000, "x" * 1000),
        ("x" * 1001, "x" * 1000 + "..."),
        ("x" * 9999, "x" * 1000 + "..."),
        ("a\x00b\x1b[31m", "ab[31m"),
        # So many characters are looked at, that a megabyte is masked in no time.
        ("\n" * 3999 + "xy", "x"),
        ("two\r\n  lines\u2028more", "two lines more"),
    ],
)
def test_a_message_is_one_line_of_bounded_length(words: str, line: str) -> None:
    """A thousand characters say enough, and what steers a terminal is left out."""
    assert to_problem(SENT, answer({"message": words}), THEN).message == line


def test_a_date_to_come_back_at_is_seconds_from_now() -> None:
    """Without the server's own date, `now` is what it is counted from."""
    problem = to_problem(SENT, answer(REFUSAL, 429, ("retry-after", LATER)), THEN - 10)
    assert problem.retry_after == 20


def test_so_many_fields_are_taken_along() -> None:
    """An error does not grow with the answer: the first hundred say what is wrong."""
    fields = {f"recipients[{index}]": "wrong" for index in range(101)}
    problem = to_problem(SENT, answer({"fields": fields}), THEN)
    assert list(problem.fields) == list(fields)[:100]


def test_a_read_is_masked_as_well() -> None:
    """Numbers in errors about a call without a body are not shown either."""
    problem = to_problem(LIST(), answer({"message": f"q={NUMBER}"}), THEN)
    assert problem.message == "q=***"


@given(st.binary(), st.sampled_from([302, 400, 500]))
def test_no_refusal_is_unreadable(body: bytes, status: int) -> None:
    """Whatever bytes come with a status, it is a problem with that status."""
    assert to_problem(SENT, Response(status, (), body), THEN).status == status


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(
    st.dictionaries(
        st.sampled_from(sorted(REFUSAL)),
        SCALARS | st.lists(SCALARS) | st.dictionaries(st.text(), SCALARS),
    )
)
def test_no_error_object_is_unreadable(body: dict[str, object]) -> None:
    """Whatever its fields are, the error can be made and has one line of text."""
    problem = to_problem(SENT, answer({**REFUSAL, **body}), THEN)
    assert len(str(ApiError.of(Trail("send_message", attempts(1)), problem)).splitlines()) == 1


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("7", None, 7.0),
        ("0", None, 0.0),
        ("1.5", None, 1.5),
        (" 7 ", None, 7.0),
        ("1000000000", None, 1e9),
        ("1e9", None, None),
        ("1_000", None, None),
        ("120", GMT, 120.0),
        ("-1", None, None),
        ("-0.5", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("-inf", None, None),
        ("1e999", None, None),
        ("", None, None),
        ("soon", None, None),
        ("7 seconds", None, None),
        ("7, 8", None, None),
        ("0x10", None, None),
        # By the server's own clock where the response has a date, by ours where it has none.
        (LATER, None, 20.0),
        (LATER, GMT, 10.0),
        (LATER, LATER, 0.0),
        (GMT, LATER, None),
        (LATER, "junk", 20.0),
        ("Wed, 21 Oct 2015 07:27:49 GMT", None, None),
        ("Wed, 21 Oct 2015 09:28:10 +0200", GMT, 10.0),
        # The two older forms (RFC 9110, 5.6.7).
        ("Wednesday, 21-Oct-15 07:28:10 GMT", GMT, 10.0),
        ("Wed Oct 21 07:28:10 2015", GMT, 10.0),
        ("Wed Oct 21 07:28:10 2015", None, 20.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None, None),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None, None),
        ("Wed, 21 Oct 2015 07:28:00 +9999999", None, None),
        ("Wed, 21 Oct 2015", None, None),
    ],
)
def test_every_form_of_retry_after(value: str, date: str | None, seconds: float | None) -> None:
    """Seconds, decimals and HTTP dates are seconds from now; junk and the past are nothing."""
    headers = (("Retry-After", value), *([] if date is None else [("Date", date)]))
    assert retry_after(Response(429, headers), THEN - 10) == seconds


@pytest.mark.usefixtures("elsewhere")
def test_a_date_without_a_zone_is_not_local() -> None:
    """HTTP dates are GMT in all their forms, wherever the machine stands."""
    response = Response(429, (("Retry-After", "Wed Oct 21 07:28:10 2015"),))
    assert retry_after(response, THEN) == 10


def test_no_retry_after_is_none() -> None:
    """Most answers do not say when to come back, and a date alone is not an answer to that."""
    assert retry_after(Response(429, ()), THEN) is None
    assert retry_after(Response(429, (("date", GMT),)), THEN) is None


@given(st.text(), st.text(), st.floats(0, 1e10))
def test_any_retry_after_is_seconds_or_none(value: str, date: str, now: float) -> None:
    """Whatever the headers hold, the result can be slept for."""
    seconds = retry_after(Response(429, (("retry-after", value), ("date", date))), now)
    assert seconds is None or 0 <= seconds < float("inf")


NEARLY_A_DATE = r"(Wed, )?[0-9]{1,3}[ -]Oct[ -][0-9]{1,5} [0-9:]{0,9}( [+-]?[0-9GMT]{0,7})?"


@given(st.from_regex(NEARLY_A_DATE))
def test_any_date_is_seconds_or_none(value: str) -> None:
    """Dates that are nearly right do not fail either."""
    seconds = retry_after(Response(503, (("retry-after", value),)), THEN)
    assert seconds is None or 0 <= seconds < float("inf")


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "body", [{"a": {1, 2}}, {"a": float("nan")}, {"a": "\ud800"}, object(), CIRCLE]
)
def test_a_body_without_a_form_in_json_is_refused(body: object) -> None:
    """It is the caller's to mend, and is said before anything is sent."""
    operation = Operation("add_tag", "POST", "/tags", AcceptedMessage, Bucket.SEND)
    with pytest.raises(InvalidRequest) as caught:
        to_request(operation(body=body), Origin("https://api.ziett.co", (), KEY), "key-1", 1.0)
    assert caught.value.operation == "add_tag"
    assert caught.value.fields == {
        "body": "must be JSON: objects, arrays, strings, finite numbers, booleans"
    }


@pytest.mark.parametrize(
    "query", [[("q", "\ud800")], ["q"], [("q",)], [1], [("q", None)], [("q", 7)], [("q", ["a"])]]
)
def test_a_query_without_a_form_in_a_url_is_refused(query: Any) -> None:  # noqa: ANN401 - wrong on purpose
    """Neither an error from below nor half a character gets out."""
    operation = Operation("list_tags", "GET", "/tags", AcceptedMessage, Bucket.LIST)
    with pytest.raises(InvalidRequest) as caught:
        to_request(operation(query=query), Origin("https://api.ziett.co", (), KEY), None, 1.0)
    words = "must be pairs of strings, without halves of surrogate pairs"
    assert caught.value.fields == {"query": words}
