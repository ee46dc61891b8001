"""Telephone numbers: E.164, and the numbering plans of the Portuguese-speaking countries.

A plan is a calling code, how many digits follow it, and which of the numbers are mobile: what
national authorities publish through the ITU (E.164 national numbering plans), compared with
Google's libphonenumber by the tests. Lengths hold for every number of a country, landlines
too; ranges that are not mobile are not listed, since authorities assign new ones.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import attrs

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@attrs.frozen(eq=False, repr=False)
class NumberingPlan:
    """The numbers behind one calling code."""

    #: `244`.
    calling_code: str
    #: How many digits may follow the calling code, the first of which is no zero; ascending.
    lengths: Sequence[int]
    #: The pattern of a mobile number's digits after the calling code; None where they do not
    #: tell. It is compiled when a number is first compared with it, which a send does not do.
    mobile: str | None = None


#: Two letters to the plan of a country whose numbers can be read in local form.
COUNTRIES: Mapping[str, NumberingPlan] = MappingProxyType(
    {
        "AO": NumberingPlan("244", (9,), r"9[1-79][0-9]{7}"),
        # An area code (67 of them) and nine digits; the old mobile numbers of eight are gone.
        "BR": NumberingPlan(
            "55",
            (10, 11),
            r"(?:[14689][1-9]|2[12478]|3[1-578]|5[13-5]|7[13-579])9[0-9]{8}",
        ),
        "CV": NumberingPlan("238", (7,), r"(?:36|5[1-37-9]|9[0-9])[0-9]{5}"),
        "GW": NumberingPlan("245", (9,), r"9(?:5[0-9]|6[569]|77)[0-9]{6}"),
        # Landlines have a digit less.
        "MZ": NumberingPlan("258", (8, 9), r"8[2-9][0-9]{7}"),
        "PT": NumberingPlan("351", (9,), r"9(?:[1236][0-9]{2}|480)[0-9]{5}"),
        "ST": NumberingPlan("239", (7,), r"9(?:0[1-9]|[89][0-9])[0-9]{4}|900[5-9][0-9]{3}"),
    }
)
#: Calling codes to their plans: besides those above, North America's and the one of Russia and
#: Kazakhstan. No calling code is a prefix of another one.
PLANS: Mapping[str, NumberingPlan] = MappingProxyType(
    {
        **{plan.calling_code: plan for plan in COUNTRIES.values()},
        "1": NumberingPlan("1", (10,)),
        "7": NumberingPlan("7", (10,)),
    }
)


def is_e164(text: str) -> bool:
    """Return whether it is a plus and 7 to 15 digits, a country's calling code first.

    15 are the most that E.164 allows; the shortest numbers in use, Niue's and Tokelau's, have 7.

    >>> is_e164("+244990090990"), is_e164("990 090 990")
    (True, False)
    """
    return _E164.fullmatch(text) is not None


def plan_of(number: str) -> NumberingPlan | None:
    """Return the plan of a number that begins with a plus and a calling code.

    >>> plan_of("+244990090990").lengths
    (9,)
    """
    return PLANS.get(number[1:4]) or PLANS.get(number[1:3]) or PLANS.get(number[1:2])


def is_assignable(number: str) -> bool:
    """Return whether a network can assign this number: E.164, and of a length in its plan.

    Numbers of other plans than `PLANS` are not checked further, so that no number in use is
    refused.

    >>> is_assignable("+244990090990"), is_assignable("+24499009099")
    (True, False)
    """
    if not is_e164(number):
        return False
    plan = plan_of(number)
    if plan is None:
        return True
    national = number[1 + len(plan.calling_code) :]
    return len(national) in plan.lengths and not national.startswith("0")


def is_mobile(number: str) -> bool | None:
    """Return whether a number in E.164 is a mobile one; None where its plan does not tell.

    >>> is_mobile("+244923456789"), is_mobile("+244222123456"), is_mobile("+442079460000")
    (True, False, None)
    """
    plan = plan_of(number)
    if plan is None or plan.mobile is None:
        return None
    return re.fullmatch(plan.mobile, number[1 + len(plan.calling_code) :]) is not None
