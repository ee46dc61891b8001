"""What only some programs need: without it, the error says how to install it."""

import pytest

from tests.support.interpreter import run
from ziett_async._extras import needs_extra

#: The modules that need an extra: who uses it, what is installed, and the library.
MODULES = {
    "transports.aiohttp": ("AiohttpTransport", "'.[aiohttp]'", "aiohttp"),
    "transports.httpx2": ("Httpx2Transport", "'.[httpx2]'", "httpx2"),
    "limits.postgres": ("PostgresLimiter", "'.[postgres]' 'psycopg[binary]'", "psycopg"),
    "instrumentation.opentelemetry": ("OpenTelemetryObserver", "'.[otel]'", "opentelemetry"),
    "emulator": ("Emulator", "'.[emulator]'", "h11"),
}


def test_without_its_extra_a_module_says_how_to_install_it() -> None:
    """In one line, when it is imported, in an error that has the name of what is missing."""
    code = """
import importlib, sys
modules = [each.split("=") for each in sys.argv[1:]]
sys.modules.update((library, None) for _, library in modules)
for module, _ in modules:
    try:
        importlib.import_module(f"ziett_async.{module}")
    except ModuleNotFoundError as error:
        print(f"{error.name.partition('.')[0]}: {error}")
"""
    lines = run(code, *(f"{module}={library}" for module, (*_, library) in MODULES.items()))
    for line, (user, packages, library) in zip(lines, MODULES.values(), strict=True):
        install = f"python -m pip install {packages} in the clone"
        assert line.startswith(f"{library}: {user} needs an extra: {install} (")


@pytest.mark.parametrize(
    "error",
    [ModuleNotFoundError("No module named 'x'", name="x"), ImportError("no x\nx, y", name="y")],
    ids=["missing", "broken"],
)
def test_the_error_is_of_the_kind_of_pythons_own(error: ImportError) -> None:
    """With its name and the first line of its words."""
    with pytest.raises(ImportError) as caught, needs_extra("Class", "extra", "another"):
        raise error
    assert (type(caught.value), caught.value.name) == (type(error), error.name)
    packages = "'.[extra]' 'another'"
    install = f"Class needs an extra: python -m pip install {packages} in the clone"
    assert str(caught.value) == f"{install} ({str(error).splitlines()[0]})"


def test_a_library_that_lacks_a_part_of_its_own_is_named_too() -> None:
    """Such as psycopg without libpq, whose own error has a line for all that was tried."""
    code = """
import sys
sys.modules.update(dict.fromkeys(["psycopg_c", "psycopg_binary", "psycopg.pq.pq_ctypes"]))
try:
    import ziett_async.limits.postgres
except ImportError as error:
    print(type(error).__name__, error)
"""
    install = "python -m pip install '.[postgres]' 'psycopg[binary]' in the clone"
    wanted = f"PostgresLimiter needs an extra: {install} (no pq wrapper available.)"
    assert run(code) == [f"ImportError {wanted}"]


def test_a_limiter_whose_store_the_program_opens_needs_no_extra() -> None:
    """`RedisLimiter` takes a client of either library, and imports neither."""
    code = """
import sys
sys.modules.update(dict.fromkeys(["coredis", "redis"]))
from ziett_async.limits.redis import RedisLimiter
print(RedisLimiter.__name__)
"""
    assert run(code) == ["RedisLimiter"]
