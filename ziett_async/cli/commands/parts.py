"""Shows how a text travels by SMS, without an account: every part is charged as a message.

One character outside the GSM alphabet makes every character of the text take more than twice the
room. `--gsm` replaces such characters by those that they resemble, where no value changes.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from unicodedata import name

import attrs

from ziett_async import SmsParts, sms_parts, to_gsm
from ziett_async.cli._failures import DONE
from ziett_async.cli._output import add_json, show_record


def add_arguments(parser: ArgumentParser) -> None:
    """Take a text."""
    parser.add_argument("text", metavar="TEXT", help="- reads standard input")
    parser.add_argument("--gsm", action="store_true", help="replace what is outside the alphabet")
    add_json(parser)


def run(options: Namespace) -> int:
    """Show it; return the exit code."""
    text: str = sys.stdin.read().rstrip("\n") if options.text == "-" else options.text
    gsm = to_gsm(text)
    parts, cheaper = sms_parts(text), sms_parts(gsm.text)
    if options.gsm:
        fields = {**_fields_of(cheaper), "replaced": _describe(gsm.replaced), "text": gsm.text}
        value = {**attrs.asdict(cheaper), "replaced": gsm.replaced, "text": gsm.text}
    else:
        fields, value = _fields_of(parts), attrs.asdict(parts)
        if cheaper != parts:
            fields["with --gsm"] = f"{cheaper.encoding}, {_counted(cheaper.parts)}"
    show_record(fields, value, as_json=options.json)
    return DONE


def _fields_of(parts: SmsParts) -> dict[str, str]:
    return {
        "encoding": parts.encoding,
        "parts": str(parts.parts),
        "units": f"{parts.units}, and {parts.units_left} more fit into the last part",
        "not GSM": ", ".join(map(_shown, parts.not_gsm)),
    }


def _describe(replaced: Mapping[str, str]) -> str:
    return ", ".join(f"{_shown(old)} by {new or 'nothing'}" for old, new in replaced.items())


def _counted(parts: int) -> str:
    return "1 part" if parts == 1 else f"{parts} parts"


def _shown(character: str) -> str:
    """Return a character, and its name if it is invisible."""
    if character.isprintable() and not character.isspace():
        return character
    return " ".join(name(each, f"U+{ord(each):04X}") for each in character)
