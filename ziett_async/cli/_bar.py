"""The bar of a run, on standard error, so that standard output is free for outcomes."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task
from rich.text import Text


class _Status(ProgressColumn):
    """A text that is made anew each time it is shown."""

    def __init__(self, describe: Callable[[], str]) -> None:
        super().__init__()
        self._describe = describe

    def render(self, task: Task) -> Text:
        """Return it; once all is done there is nothing to say."""
        return Text("" if task.finished else self._describe(), "dim", no_wrap=True)


@contextmanager
def bar(total: int, describe: Callable[[], str]) -> Generator[Callable[[], None]]:
    """Show a bar; give a function that moves it by one."""
    columns = (BarColumn(bar_width=20), MofNCompleteColumn(), _Status(describe))
    console = Console(stderr=True, highlight=False)
    with Progress(*columns, console=console, refresh_per_second=4) as shown:
        task = shown.add_task("", total=total)
        yield lambda: shown.advance(task)
