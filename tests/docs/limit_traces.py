"""Writes the counter-examples of docs/many-machines.md: `python -m tests.docs.limit_traces`."""

import re
from pathlib import Path

from tests.proofs.shared_limit_model import WRONG, explore, narrate

PAGE = Path(__file__).parents[2] / "docs" / "many-machines.md"
COMMAND = "python -m tests.docs.limit_traces"
BLOCK = re.compile(r"(<!-- traces: [^>]+ -->\n).*?(\n<!-- end -->)", re.DOTALL)
#: What it takes to break each variant: processes and faults.
NEEDED = dict.fromkeys(WRONG, (3, 1)) | {"the clock set back is left to the store": (3, 2)}


def traces() -> str:
    """Return a table of the variants that are wrong, each with the shortest way to break it."""
    rows = ["| Without the rule | What happens |", "|---|---|"]
    for name, rules in WRONG.items():
        clients, faults = NEEDED[name]
        _, way = explore(clients, rules, faults)
        rows.append(f"| {name} | {narrate(clients, rules, way)} |")
    return "\n".join(rows)


def written(text: str) -> str:
    """Return the page with the table as it should be."""
    table = traces()
    return BLOCK.sub(lambda found: f"{found[1]}{table}{found[2]}", text)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
