"""Rules that no single module can check: what the package promises, and how it is built."""

import ast
import inspect
import pickle
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from inspect import Parameter
from pathlib import Path
from typing import Any

import pytest

import ziett_async
import ziett_async.blocking
import ziett_async.testing
from tests.support.samples import attempts
from ziett_async import AsyncZiett, Operation, SendFailed, ZiettError, api
from ziett_async.errors import Trail
from ziett_async.models import ErrorCode
from ziett_async.models._problem import Problem

PACKAGE = Path(ziett_async.__file__).parent
TESTS = Path(__file__).parents[1]

#: The names of design.md, by section, as they stand there.
DESIGN = {
    1: ["AsyncZiett", "MessageStatus", "SaveContact", "ConfigurationError", "Operation"],
    2: [
        "Message",
        "AcceptedMessage",
        "SaveContact",
        "Page",
        "Campaign",
        "AcceptedCampaign",
        "Sender",
        "CallInfo",
    ],
    3: [
        "ZiettError",
        "ConfigurationError",
        "InvalidRequest",
        "RecipientNotAllowed",
        "TransportError",
        "NotSent",
        "LimiterUnavailable",
        "OutcomeUnknown",
        "DeadlineExceeded",
        "ApiError",
        "AuthenticationError",
        "PermissionDeniedError",
        "InsufficientFundsError",
        "NotFoundError",
        "ConflictError",
        "ValidationError",
        "RateLimitError",
        "ServerError",
        "InvalidResponse",
    ],
    4: ["RetryPolicy"],
    5: ["TokenBucketLimiter", "Rate", "Unlimited", "Priority", "Permit", "LimiterUnavailable"],
    7: ["Transport", "Request", "Response"],
    10: [
        "CampaignOutcome",
        "Journal",
        "NewMessage",
        "Recipient",
        "Rejection",
        "SendOutcome",
        "SqliteJournal",
        "idempotency_key_for",
        "normalize_number",
        "prepare_recipients",
    ],
    12: ["sms_parts", "SmsParts", "to_gsm", "GsmText"],
    14: ["Attempt", "Observer", "ObservedCall"],
}
#: Those that design.md shows with their module.
ELSEWHERE = [
    ("ziett_async.blocking", "Ziett"),
    ("ziett_async.limits.postgres", "PostgresLimiter"),
    ("ziett_async.limits.redis", "RedisLimiter"),
    ("ziett_async.transports", "HttpxTransport"),
    ("ziett_async.testing", "FakeTransport"),
    ("ziett_async.testing", "FakeZiett"),
    ("ziett_async.instrumentation.opentelemetry", "OpenTelemetryObserver"),
]
#: The methods of design.md, section 1.
METHODS = [
    "send_message",
    "get_message",
    "list_messages",
    "iter_messages",
    "send_batch_campaign",
    "get_campaign",
    "list_campaigns",
    "iter_campaigns",
    "list_campaign_messages",
    "iter_campaign_messages",
    "wait_until_final",
    "watch_messages",
]
#: Those of section 10, which last as long as their loop.
BULK_METHODS = ["send_many", "send_campaign"]
#: Who may import what is costly, optional, or hidden behind a port.
IMPORTERS = {
    "cattrs": {"_structuring.py"},
    "httpx": {"transports/httpx.py"},
    "httpx2": {"transports/httpx2.py"},
    "aiohttp": {"transports/_aiohttp.py", "transports/aiohttp.py"},
    "certifi": {"transports/aiohttp.py"},
    "yarl": {"transports/aiohttp.py"},
    "opentelemetry": {"instrumentation/opentelemetry.py"},
    "phonenumbers": {"_telephony/worldwide.py"},
    "h11": {"emulator/_http.py"},
    "coredis": set[str](),
    "psycopg": {"limits/postgres.py", "limits/_postgres_connection.py"},
    "redis": set[str](),
    "rich": {
        "cli/_bar.py",
        "cli/_output.py",
        "cli/_screen.py",
        "cli/commands/demo.py",
        "cli/commands/emulator.py",
    },
    "python_calamine": {"cli/tables/workbook.py"},
    "trio": set[str](),
    "pytest": {"testing/conformance.py"},
}
#: A block of code, in which brackets are no link.
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
#: [words](target), an image's too; without the place in a page that may follow it.
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
#: Comments that silence a checker, by module; there are none.
SILENCED: dict[str, int] = {}


def modules() -> list[Path]:
    """Return the modules of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def named(path: Path) -> str:
    """Return a module's path within the package."""
    return path.relative_to(PACKAGE).as_posix()


def parsed(path: Path) -> ast.Module:
    """Return a module's tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """Return every function of a tree, inner ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def run(code: str) -> str:
    """Run code in a Python of its own, and return what it prints."""
    done = subprocess.run(  # noqa: S603 - the code is this file's
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=PACKAGE.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("section", DESIGN)
def test_what_the_design_names_is_importable(section: int) -> None:
    """From the root, and part of its `__all__`."""
    missing = [name for name in DESIGN[section] if not hasattr(ziett_async, name)]
    assert missing == []
    assert set(DESIGN[section]) <= set(ziett_async.__all__)


@pytest.mark.parametrize(("module", "name"), ELSEWHERE)
def test_what_the_design_shows_with_its_module_is_there(module: str, name: str) -> None:
    """Also in that module's `__all__`."""
    assert name in import_module(module).__all__
    assert inspect.isclass(getattr(import_module(module), name))


@pytest.mark.parametrize(
    "name",
    [
        "ziett_async",
        *(
            f"ziett_async.{n}"
            for n in (
                "blocking",
                "emulator",
                "instrumentation",
                "limits",
                "models",
                "testing",
                "transports",
            )
        ),
    ],
)
def test_all_is_complete(name: str) -> None:
    """Every public name that a module imports is in its `__all__`, once, and each is there."""
    module = import_module(name)
    public = {
        each
        for each, value in vars(module).items()
        if not each.startswith("_") and (inspect.isclass(value) or callable(value))
    }
    listed: list[str] = module.__all__
    assert public - {"TYPE_CHECKING"} <= set(listed)
    assert len(set(listed)) == len(listed)
    assert [each for each in listed if not hasattr(module, each)] == []


def test_all_is_sorted() -> None:
    """So that a reader finds a name, and two changes do not meet in one line."""
    assert sorted(ziett_async.__all__) == list(ziett_async.__all__)


BLOCK = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


@pytest.mark.parametrize(
    "module",
    ["ziett_async", "ziett_async.limits.redis", "ziett_async.testing", "ziett_async.transports"],
)
def test_everything_is_there_without_extras(module: str) -> None:
    """`import *` works where only the dependencies are installed."""
    # h11 is one as well, but httpx cannot do without it.
    extras = {
        "aiohttp",
        "coredis",
        "redis",
        "rich",
        "httpx2",
        "opentelemetry",
        "phonenumbers",
        "psycopg",
        "trio",
        "pytest",
    }
    code = BLOCK.format(names=extras) + f"from {module} import *\nprint('good')"
    assert run(code) == "good\n"


def test_the_client_works_without_extras() -> None:
    """A send and a list through the fake need nothing that is optional, not even httpx.

    Nor the observer's port, which is imported where there is one.
    """
    absent = {"aiohttp", "h11", "rich", "httpx", "httpx2", "opentelemetry", "phonenumbers"}
    absent |= {"trio", "pytest"}
    code = BLOCK.format(names=absent)
    code += """
import asyncio
from ziett_async import AsyncZiett
from ziett_async.testing import FakeTransport

async def main():
    remitter = "019b4b56-e704-7c30-83a0-527df63c3e00"
    async with AsyncZiett("zk_test_x", transport=FakeTransport()) as client:
        await client.send_message("+244923456789", content="x", remitter_id=remitter)
        print((await client.list_messages()).total)

asyncio.run(main())
print("ziett_async.instrumentation" in sys.modules)
"""
    assert run(code) == "1\nFalse\n"


def test_importing_the_package_imports_little() -> None:
    """Neither an HTTP library nor another event loop, nor what the extras bring."""
    code = """
import sys
before = set(sys.modules)
import ziett_async
print(*set(sys.modules) - before)
"""
    loaded = {name.partition(".")[0] for name in run(code).split()}
    costly = {
        "aiohttp",
        "httpx",
        "httpx2",
        "httpcore",
        "h11",
        "rich",
        "trio",
        "pytest",
        "hypothesis",
    }
    assert loaded & {*costly, "opentelemetry", "phonenumbers", "sqlite3"} == set()
    assert "anyio" in loaded


def test_what_a_new_client_does_not_need_is_not_imported() -> None:
    """Lists, local numbers and what makes values of answers are imported with their first use."""
    code = """
import sys
from ziett_async import AsyncZiett
client = AsyncZiett("zk_test_x")
parts = ["_paging", "_pages", "_structuring", "_telephony.reading"]
print([each for each in parts if f"ziett_async.{each}" in sys.modules])
import ziett_async._paging, ziett_async._pages, ziett_async._structuring
import ziett_async._telephony.reading
"""
    assert run(code) == "[]\n"


def test_what_few_programs_need_is_imported_with_its_first_use() -> None:
    """Though `dir()` and `from ziett_async import *` know it, as any public name."""
    code = """
import sys, ziett_async
known = dir(ziett_async)
print("sms_parts" in known, "errors" in known, "ziett_async.bulk.run" in sys.modules)
from ziett_async import *
print(sms_parts("x").parts, ziett_async.sms_parts is sms_parts)
"""
    assert run(code) == "True True False\n1 True\n"
    with pytest.raises(AttributeError, match="module 'ziett_async' has no attribute 'sms_part'"):
        _ = vars(ziett_async)["__getattr__"]("sms_part")


@pytest.mark.parametrize("library", IMPORTERS)
def test_a_library_is_known_to_few(library: str) -> None:
    """Only the modules that are listed import it, wherever in them."""
    importers = {
        named(path)
        for path in modules()
        for node in ast.walk(parsed(path))
        if library in {name.partition(".")[0] for name in imported(node)}
    }
    assert importers == IMPORTERS[library]


def test_every_log_record_has_its_facts_as_extra() -> None:
    """Under names that begin with `ziett_`, which are no others' names."""
    calls = {
        f"{named(path)}:{node.lineno}": [each.arg for each in node.keywords]
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger.")
        if ast.unparse(node.func) != "logger.isEnabledFor"
        if not named(path).startswith("cli/")
    }
    assert len(calls) >= 10
    assert {place for place, keywords in calls.items() if "extra" not in keywords} == set()


def imported(node: ast.AST) -> list[str]:
    """Return the modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module or ""]
    return []


def test_what_is_public_is_documented() -> None:
    """Every module, public class and public function has a docstring."""
    bare: list[str] = []
    for path in modules():
        tree = parsed(path)
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef | Function)]
        bare += [
            f"{named(path)}:{node.name}"
            for node in nodes
            if not node.name.startswith("_")
            and is_public(tree, node)
            and not ast.get_docstring(node)
        ]
        bare += [] if ast.get_docstring(tree) else [named(path)]
    assert bare == []


def is_public(tree: ast.Module, node: ast.ClassDef | Function) -> bool:
    """Tell whether it is defined in a module or in a public class of one, for everybody."""
    classes = [each for each in tree.body if isinstance(each, ast.ClassDef)]
    owners: list[ast.Module | ast.ClassDef] = [
        tree,
        *(each for each in classes if not each.name.startswith("_")),
    ]
    return any(node in owner.body for owner in owners)


@pytest.mark.parametrize(
    "module", [ziett_async, ziett_async.blocking, ziett_async.testing], ids=lambda m: m.__name__
)
def test_what_is_exported_explains_itself(module: Any) -> None:  # noqa: ANN401
    """`help()` has words of ours for each class and each public method."""
    silent: list[str] = []
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value):
            members = {
                f"{name}.{each}": member
                for each, member in vars(value).items()
                if not each.startswith("_")
                and (inspect.isfunction(member) or isinstance(member, property))
            }
            silent += [each for each, member in members.items() if not member.__doc__]
            silent += [] if value.__doc__ else [name]
    assert silent == []


def kinds(kind: type[Any]) -> list[type[Any]]:
    """Return a class of this package and all below it."""
    below = [each for each in kind.__subclasses__() if each.__module__.startswith("ziett_async")]
    return [kind, *(lower for each in below for lower in kinds(each))]


NOW = datetime(2025, 7, 14, 10, 30, tzinfo=UTC)
#: A value for each parameter that an error's class may have.
FACTS: dict[str, Any] = {
    "operation": "send_message",
    "fields": {"content": "is required"},
    "refused": 2,
    "trail": Trail("send_message", attempts(2), "order-7"),
    "message": "no connection",
    "safe_to_retry_until": NOW,
    "status": 200,
    "problem": Problem(
        status=422,
        code=ErrorCode("A_NEW_CODE"),
        message="no",
        trace_id="4bf92f35",
        timestamp=NOW,
        service="core",
        fields={"content": "is required"},
        retry_after=7.0,
    ),
    "reason": "no connection",
    "reached": True,
    "timed_out": True,
}


def made(kind: type[Exception]) -> Exception:
    """Return an error of a class, with a fact for each of its parameters."""
    if kind.__init__ is Exception.__init__:
        return kind("why")
    parameters = inspect.signature(kind).parameters.values()
    plain = [each for each in parameters if each.kind is Parameter.POSITIONAL_OR_KEYWORD]
    return kind(*[FACTS[each.name] for each in plain])


@pytest.mark.parametrize("kind", [*kinds(ZiettError), SendFailed], ids=lambda k: k.__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_pickles(kind: type[Exception], protocol: int) -> None:
    """Text, arguments and every attribute arrive in the other process."""
    error = made(kind)
    other = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - it is ours
    assert type(other) is kind
    assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))


def test_every_error_is_exported() -> None:
    """None of ours reaches a user who cannot name it."""
    ours = {kind.__name__ for kind in kinds(ZiettError)}
    assert ours <= set(ziett_async.__all__)


def test_the_client_is_built_as_designed() -> None:
    """The parameters of design.md, in its order, with its defaults, by keyword but the key."""
    parameters = list(inspect.signature(AsyncZiett).parameters.values())
    assert [(each.name, each.default) for each in parameters] == [
        ("api_key", None),
        ("base_url", None),
        ("transport", None),
        ("limiter", None),
        ("retry", None),
        ("timeout", None),
        ("attempt_timeout", 15.0),
        ("default_remitter_id", None),
        ("default_country", None),
        ("allowed_recipients", None),
        ("clock", None),
        ("observer", None),
    ]
    assert parameters[0].kind is Parameter.POSITIONAL_OR_KEYWORD
    assert {each.kind for each in parameters[1:]} == {Parameter.KEYWORD_ONLY}


def public_methods() -> dict[str, Callable[..., object]]:
    """Return the client's public methods."""
    members = inspect.getmembers(AsyncZiett, inspect.isfunction)
    return {name: method for name, method in members if not name.startswith("_")}


def test_the_client_has_the_designed_methods() -> None:
    """Flat, in the API's words, and besides them only `call` and `aclose`."""
    assert set(public_methods()) == {*METHODS, *BULK_METHODS, "call", "aclose"}


@pytest.mark.parametrize("name", [*METHODS, *BULK_METHODS, "call"])
def test_a_method_takes_keywords_after_its_first_argument(name: str) -> None:
    """So that no two values can change places unseen."""
    _, *parameters = inspect.signature(public_methods()[name]).parameters.values()
    by_place = [each.name for each in parameters if each.kind is Parameter.POSITIONAL_OR_KEYWORD]
    assert len(by_place) <= 1
    assert all(each.kind is not Parameter.VAR_POSITIONAL for each in parameters)


@pytest.mark.parametrize("name", [*METHODS, "call"])
def test_a_call_can_be_bounded(name: str) -> None:
    """Whatever does I/O takes `timeout`, which by default is the client's."""
    timeout = inspect.signature(public_methods()[name]).parameters["timeout"]
    assert (timeout.kind, timeout.default) == (Parameter.KEYWORD_ONLY, None)


def operations() -> list[Operation[Any]]:
    """Return every Operation constant of the package."""
    found = dict[str, Operation[Any]]()
    for module in pkgutil.iter_modules(api.__path__, f"{api.__name__}."):
        values = vars(import_module(module.name)).values()
        found |= {value.name: value for value in values if isinstance(value, Operation)}
    return list(found.values())


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.name)
def test_an_operation_has_a_method_of_its_name(operation: Operation[Any]) -> None:
    """With an argument for each parameter of its path, and for a POST an idempotency key."""
    parameters = inspect.signature(public_methods()[operation.name]).parameters
    in_path = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    assert set(in_path) <= set(parameters)
    assert ("idempotency_key" in parameters) is (operation.method == "POST")
    assert operation.is_keyed is (operation.method == "POST")


def test_modules_are_short() -> None:
    """At most 250 lines each."""
    lengths = {
        named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()
    }
    assert {name: lines for name, lines in lengths.items() if lines > 250} == {}


def test_functions_are_short() -> None:
    """At most 40 lines without the docstring, half of them at most 7, nine of ten at most 20."""
    lengths = {
        f"{named(path)}:{function.name}": lines_of(function)
        for path in modules()
        for function in functions(parsed(path))
    }
    assert {name: lines for name, lines in lengths.items() if lines > 40} == {}
    ordered = sorted(lengths.values())
    assert ordered[len(ordered) // 2] <= 7
    assert ordered[len(ordered) * 9 // 10] <= 20


def lines_of(function: Function) -> int:
    """Count the lines of a function's body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_every_test_is_a_sentence() -> None:
    """Each test function, in every test module, has a docstring that ends as sentences do."""
    wrong = [
        f"{path.relative_to(TESTS)}:{function.name}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for function in functions(parsed(path))
        if function.name.startswith("test_")
        and not (ast.get_docstring(function) or "").endswith((".", "?", "!"))
    ]
    assert wrong == []


def test_no_test_waits_or_patches() -> None:
    """No mocks anywhere, no `time.sleep`, no attribute of ours replaced."""
    forbidden = {"unittest.mock", "mock", "pytest_mock"}
    for path in sorted(TESTS.rglob("*.py")):
        tree = parsed(path)
        names = {name for node in ast.walk(tree) for name in imported(node)}
        assert names & forbidden == set(), path
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert calls & {"time.sleep", "monkeypatch.setattr"} == set(), path


def test_no_checker_is_silenced() -> None:
    """Types and coverage hold without exceptions, but for those that are listed."""
    marks = ("type: " + "ignore", "pyright: " + "ignore", "pragma: " + "no cover")
    found = {
        named(path): sum(path.read_text(encoding="utf-8").count(mark) for mark in marks)
        for path in modules()
    }
    assert {name: count for name, count in found.items() if count} == SILENCED


def test_every_link_leads_to_a_file() -> None:
    """What README, SECURITY, CHANGELOG and the pages in docs link to beside them is there."""
    top = TESTS.parent
    found = [
        (page, target)
        for page in [*top.glob("*.md"), *top.glob("docs/*.md")]
        for target in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
        if "://" not in target
    ]
    assert (top / "README.md", "docs/faults.md") in found
    lost = [(page.name, target) for page, target in found if not (page.parent / target).exists()]
    assert lost == []


def test_the_package_is_typed() -> None:
    """Type checkers of users look for this file."""
    assert (PACKAGE / "py.typed").is_file()
