"""Regular expressions from tenants, of which some would keep a processor busy for years.

SQLite matches with Python's backtracking engine. It takes exponential time when something that matches in several
ways stands inside a repeat, or when many such things stand side by side; else the length of the text to the power of
the number of repeats plus one. So all that matches in several ways is counted and limited before a pattern is used.
"""

import re
import re._parser as sre  # type: ignore[import-not-found]
from collections.abc import Iterator
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Q

from cloud.core.errors import Invalid

MAX_LENGTH = 255
MAX_REPEATS = 2
MAX_CHOICES = 3
_REPEAT, _CHOICE, _REFUSED = "repeat", "choice", "refused"
_REPEATS = frozenset({sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT})
_NEVER = frozenset({sre.GROUPREF, sre.GROUPREF_EXISTS, sre.ASSERT, sre.ASSERT_NOT})
_SPECIAL = frozenset("\\.^$*+?{}[]|()")
_PLACES = frozenset(".^$")
_RULES = (
    f"use at most {MAX_REPEATS} repeats (* + ? {{}}) and {MAX_CHOICES} choices (|), none of them inside a repeat, no "
    f"look-around, no back reference and {MAX_LENGTH} characters."
)


def matching(column: str, pattern: str) -> Q:
    """Return the condition that a column matches a pattern anywhere.

    Raises:
        Invalid: it is no regular expression, or not one that is quick to match.
    """
    if not _SPECIAL.intersection(pattern):
        return Q(**{f"{column}__contains": pattern})
    check(pattern)
    return _literals(column, pattern) & Q(**{f"{column}__regex": pattern})


def _literals(column: str, pattern: str) -> Q:
    """Return what a match must hold in any case, which keeps most rows from the slow engine: addresses, whole names."""
    if _SPECIAL.intersection(pattern) - _PLACES:
        return Q()
    parts = set(re.split(r"[.^$]+", pattern)) - {""}
    return reduce(and_, (Q(**{f"{column}__contains": part}) for part in sorted(parts)), Q())


def check(pattern: str) -> None:
    """Refuse a pattern that is malformed or could take long. Raises Invalid."""
    if "[[" in pattern:  # POSIX classes mean something else to each database
        raise Invalid(f"{pattern[:100]!r} holds a set inside a set; write a-z for [:alpha:]")
    try:
        found = list(_ways(sre.parse(pattern), is_repeated=False)) if len(pattern) <= MAX_LENGTH else [_REFUSED]
    except (re.error, OverflowError, RecursionError):
        raise Invalid(f"{pattern[:100]!r} is not a regular expression") from None
    if _REFUSED in found or found.count(_REPEAT) > MAX_REPEATS or found.count(_CHOICE) > MAX_CHOICES:
        raise Invalid(f"The regular expression {pattern[:100]!r} could take too long to match: {_RULES}")


def _ways(parsed: Any, *, is_repeated: bool) -> Iterator[str]:
    """Yield what of a parsed pattern matches in several ways."""
    for operation, argument in parsed:
        if operation in _NEVER:
            yield _REFUSED
        elif operation in _REPEATS:
            yield _REFUSED if is_repeated else _REPEAT
            yield from _ways(argument[2], is_repeated=True)
        else:
            if operation is sre.BRANCH:
                yield _REFUSED if is_repeated else _CHOICE
            for inner in _inner(argument):
                yield from _ways(inner, is_repeated=is_repeated)


def _inner(argument: Any) -> Iterator[Any]:
    """Yield the patterns inside a construct's argument: groups, alternatives."""
    if isinstance(argument, sre.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for part in argument:
            yield from _inner(part)
