"""The pytest plugin, as a user's test suite has it: each test here runs such a suite."""

import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from ziett_async.testing import FakeZiett

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.skipif(
    not entry_points(group="pytest11", name="ziett"),
    reason="the plugin is there where the package is installed, as in every nox session",
)

# Pytester forgets what a suite was the first to import, and the next would do it again.
for name in [
    "httpx",
    "hypothesis",
    "trio",
    "ziett_async.testing._fixtures",
    "ziett_async.testing.emulator",
]:
    import_module(name)

Suite = Callable[..., pytest.RunResult]

GUIDE = Path(__file__).parents[2] / "docs" / "testing.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
FAILS = "this test reaches the real Ziett: it looked up api.ziett.co."

SETTINGS = """
    [pytest]
    strict = true
    filterwarnings = error
    asyncio_mode = strict
    asyncio_default_fixture_loop_scope = function
"""
HEAD = """
import asyncio, os, socket
import pytest, trio
from ziett_async import AsyncZiett, RetryPolicy
from ziett_async.testing import FakeTransport, FakeZiett

REAL = "https://api.ziett.co/c/v1"

async def send(client):
    await client.send_message("+244990090990", content="O seu código é 482910.")

async def send_by_http(base_url, key="zk_test_x"):
    sender = "019b4b56-e704-7c30-83a0-527df63c3e00"
    async with AsyncZiett(key, base_url=base_url, default_remitter_id=sender) as client:
        await send(client)

def look_up(name="api.ziett.co"):
    # A host that must be numeric: no network is asked for it.
    socket.getaddrinfo(name, 443, flags=socket.AI_NUMERICHOST)

"""
#: How a test is run that awaits `{0}`, and what it says about its loop.
LOOPS = {
    "pytest-asyncio": "@pytest.mark.asyncio\nasync def test({1}):\n    await {0}\n",
    "anyio": "@pytest.mark.anyio\nasync def test({1}, anyio_backend):\n    await {0}\n",
    "asyncio.run": "def test({1}):\n    asyncio.run({2})\n",
    "trio.run": "def test({1}):\n    trio.run({3})\n",
}


def a_test(loop: str, call: str, fixtures: str) -> str:
    """Write a test that makes one asynchronous call on a loop."""
    function, argument = call.rstrip(")").split("(")
    return LOOPS[loop].format(call, fixtures, call, f"{function}, {argument}")


def write(pytester: pytest.Pytester, source: str) -> None:
    """Write a suite of one file."""
    pytester.makeini(SETTINGS)
    (pytester.path / "test_it.py").write_text(source, encoding="utf-8")


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """Run a test suite of one file, with warnings as errors and pytest-asyncio strict."""

    def run(source: str, *arguments: str) -> pytest.RunResult:
        write(pytester, HEAD + source)
        return pytester.runpytest(*arguments)

    return run


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_of_the_fake_works_on_every_loop(suite: Suite, loop: str) -> None:
    """And is closed after its test, without one, so that nothing warns."""
    check = "    fake_ziett.assert_sent(to='+244990090990')\n"
    result = suite(a_test(loop, "send(ziett)", "ziett, fake_ziett") + check)
    result.assert_outcomes(passed=2 if loop == "anyio" else 1)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_emulator_works_on_every_loop(suite: Suite, loop: str) -> None:
    """The fake is behind it, and nothing is left of it afterwards."""
    check = "    assert fake_ziett.last_code('+244990090990') == '482910'\n"
    fixtures = "ziett_emulator, fake_ziett"
    result = suite(a_test(loop, "send_by_http(ziett_emulator)", fixtures) + check)
    result.assert_outcomes(passed=2 if loop == "anyio" else 1)


def test_each_test_has_a_service_of_its_own(suite: Suite) -> None:
    """Shared by the fixtures of one test, clock included, and by no other test."""
    result = suite("""
@pytest.mark.parametrize("_", [1, 2])
def test(_, ziett, fake_ziett, ziett_clock, ziett_emulator):
    assert not fake_ziett.messages
    assert fake_ziett.clock is ziett_clock
    ziett_clock.advance(60)
    asyncio.run(send(ziett))
    asyncio.run(send_by_http(ziett_emulator))
    assert fake_ziett.arrivals("send") == [60.0, 60.0]
""")
    result.assert_outcomes(passed=2)


def test_a_client_that_its_test_has_closed_stays_closed(suite: Suite) -> None:
    """To close it again does nothing."""
    result = suite("""
@pytest.mark.anyio
async def test(ziett, anyio_backend):
    async with ziett:
        await send(ziett)
    assert "closed" in repr(ziett)
""")
    result.assert_outcomes(passed=2)


def test_the_environment_is_not_the_fixtures_business(suite: Suite) -> None:
    """What is set there for production neither breaks nor leads astray."""
    result = suite("""
@pytest.fixture(autouse=True)
def production(monkeypatch):
    for name in ["API_KEY", "BASE_URL", "REMITTER_ID", "DEFAULT_COUNTRY", "ALLOWED_RECIPIENTS"]:
        monkeypatch.setenv(f"ZIETT_{name}", "?")

def test(ziett, fake_ziett):
    asyncio.run(send(ziett))
    fake_ziett.assert_sent()
    assert os.environ["ZIETT_ALLOWED_RECIPIENTS"] == "?"
""")
    result.assert_outcomes(passed=1)


def test_a_failure_shows_the_test_and_what_was_sent(suite: Suite) -> None:
    """No line of this package is in between."""
    result = suite("""
def test(ziett, fake_ziett):
    asyncio.run(send(ziett))
    fake_ziett.assert_sent(to="+244990090990", content="O seu código é 482911.")
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">   *fake_ziett.assert_sent(*",
            "E   *AssertionError: expected 1 message to +244990090990 with content *:",
            "E   *  to +244990090990",
            "E   *    - 'O seu código é 482911.'",
            "E   *    [?]                      ^",
            "E   *    + 'O seu código é 482910.'",
            "E   *    [?]                      ^",
            "",
            "test_it.py:*: AssertionError",
        ],
        consecutive=True,
    )
    result.stdout.no_fnmatch_line("*_asserts.py*")
    result.stdout.no_fnmatch_line("*_fake.py*")


def test_its_fixtures_are_listed_with_what_they_are(suite: Suite) -> None:
    """`pytest --fixtures` is where a user looks first."""
    result = suite("", "--fixtures")
    for name in ["ziett", "fake_ziett", "ziett_clock", "ziett_emulator", "no_real_ziett"]:
        result.stdout.re_match_lines([rf"{name} -- .*_ziett_async_pytest.py.*", r"    \w+ .*"])


def test_it_can_be_switched_off(suite: Suite) -> None:
    """By the name that pytest's documentation says."""
    result = suite("def test(ziett): pass", "-p", "no:ziett")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'ziett' not found"])


def test_it_costs_nothing_until_it_is_used(pytester: pytest.Pytester) -> None:
    """Not even the guard imports the package; only a fixture that returns something does."""
    source = """
import sys

def is_imported():
    return [name for name in sys.modules if name.split(".")[0] in {"ziett_async", "cattrs"}]

def test_nothing(): assert "_ziett_async_pytest" in sys.modules and not is_imported()
def test_the_guard(no_real_ziett): assert not is_imported()
def test_the_rest(ziett_clock): assert is_imported()
"""
    write(pytester, source)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=3)


def test_coverage_sees_what_is_imported_after_it() -> None:
    """What a plugin imports when pytest starts, `pytest --cov` never sees: so it imports nothing.

    Only the standard library and pytest itself are loaded by it.
    """
    script = (
        "import sys, pytest; before = set(sys.modules); import _ziett_async_pytest;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(  # noqa: S603 (our own words)
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["_ziett_async_pytest"]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_of_the_real_service_fails_its_test(suite: Suite, loop: str) -> None:
    """At the first attempt to look up its address, and no retry hides it."""
    result = suite(a_test(loop, "send_by_http(REAL)", "no_real_ziett"))
    result.assert_outcomes(failed=2 if loop == "anyio" else 1)
    result.stdout.fnmatch_lines([f"E   *{FAILS}*"])


@pytest.mark.parametrize(
    "body",
    [
        "    with pytest.raises(BaseException): look_up()",
        "    with pytest.raises(BaseException): look_up(b'API.ziett.co.')",
        "    with pytest.raises(BaseException): socket.gethostbyname('api.ziett.co')",
    ],
)
def test_a_look_up_whose_error_was_caught_fails_the_test_as_well(suite: Suite, body: str) -> None:
    """When it is over: names come as str or bytes, in any case, with a dot or without."""
    result = suite(f"def test(no_real_ziett):\n{body}")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([FAILS + "*"])


def test_what_is_not_the_real_service_is_not_disturbed(suite: Suite) -> None:
    """The emulator, a client in memory with the public address, names that look like it."""
    result = suite("""
pytestmark = pytest.mark.usefixtures("no_real_ziett")

def test_the_emulator(ziett_emulator):
    asyncio.run(send_by_http(ziett_emulator.replace("127.0.0.1", "localhost")))

def test_memory(fake_ziett):
    asyncio.run(in_memory(fake_ziett))

async def in_memory(fake):
    async with AsyncZiett("zk_test_x", base_url=REAL, transport=FakeTransport(fake)) as client:
        assert (await client.list_messages()).total == 0

@pytest.mark.parametrize("name", ["notziett.co", "ziett.co.example", "::1", None])
def test_others(name):
    try:
        look_up(name)
    except socket.gaierror:
        pass
""")
    result.assert_outcomes(passed=6)


def test_the_guard_watches_only_the_tests_that_ask_for_it(suite: Suite) -> None:
    """A failure of one is not the next one's, either."""
    result = suite("""
def test_it_fails(no_real_ziett): look_up()
def test_it_does_not_ask():
    with pytest.raises(socket.gaierror): look_up()
def test_it_does_nothing(no_real_ziett): pass
""")
    result.assert_outcomes(passed=2, failed=1)


def test_the_guard_can_be_asked_for_by_a_whole_project(suite: Suite) -> None:
    """One line of settings."""
    result = suite("def test(): look_up()", "--override-ini", "usefixtures=no_real_ziett")
    result.assert_outcomes(failed=1)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_guide_passes(pytester: pytest.Pytester, example: str) -> None:
    """As it is printed, on asyncio and trio, with warnings as errors."""
    write(pytester, example)
    result = pytester.runpytest()
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}, outcomes


def test_the_guide_shows_the_failure_as_it_is() -> None:
    """Letter by letter."""
    fake = FakeZiett()
    fake.add_message(target_e164="+244990090990", content="Olá Ana, bem-vinda.")
    with pytest.raises(AssertionError) as caught:
        fake.assert_sent(to="+244990090990", content="Olá Ana, bem-vindo.")
    assert f"```text\nAssertionError: {caught.value}\n```" in GUIDE.read_text(encoding="utf-8")


def test_the_guide_has_examples_of_everything() -> None:
    """Of each fixture, and of each helper."""
    for name in ["ziett:", "fake_ziett:", "ziett_clock:", "ziett_emulator:", "last_code("]:
        assert any(name in example for example in EXAMPLES)
