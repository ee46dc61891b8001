"""The operators that the API names."""

from collections.abc import Mapping
from types import MappingProxyType

#: By the prefix of an Angolan number, or by the whole number: the example of the documentation
#: is at UNITEL.
_BY_PREFIX: Mapping[str, str] = MappingProxyType(
    {
        "+244990090990": "UNITEL",
        "+24492": "UNITEL",
        "+24493": "UNITEL",
        "+24494": "UNITEL",
        "+24495": "AFRICELL_AO",
    }
)
_OTHER = "OTHER"
#: The operator of any other number is the last one.
OPERATORS = (*dict.fromkeys(_BY_PREFIX.values()), _OTHER)


def operator_of(number: str) -> str:
    """Return the operator of a number in E.164: `UNITEL`, `AFRICELL_AO` or `OTHER`.

    >>> operator_of("+244923456789"), operator_of("+351912345678")
    ('UNITEL', 'OTHER')
    """
    return _BY_PREFIX.get(number) or _BY_PREFIX.get(number[:6], _OTHER)
