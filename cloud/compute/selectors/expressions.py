"""Regular expressions from tenants, of which some would keep a processor busy for years.

SQLite matches with Python's backtracking engine. Its time is the length of the text to the power of the number of
open-ended repeats, and exponential when one stands inside another; so both are limited before a pattern is used.
"""

import re
import re._parser as sre  # type: ignore[import-not-found]
from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from cloud.core.errors import Invalid

MAX_LENGTH = 255
MAX_OPEN_REPEATS = 3
_REPEATS = frozenset({sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT})
_REFUSED = frozenset({sre.GROUPREF, sre.GROUPREF_EXISTS, sre.ASSERT, sre.ASSERT_NOT})
_SPECIAL = frozenset("\\.^$*+?{}[]|()")


def matching(column: str, pattern: str) -> Q:
    """Return the condition that a column matches a pattern anywhere.

    Raises:
        Invalid: it is no regular expression, or not one that is quick to match.
    """
    if not _SPECIAL.intersection(pattern):
        return Q(**{f"{column}__contains": pattern})
    check(pattern)
    return Q(**{f"{column}__regex": pattern})


def check(pattern: str) -> None:
    """Refuse a pattern that is malformed or could take long. Raises Invalid."""
    try:
        repeats = list(_repeats(sre.parse(pattern), depth=0)) if len(pattern) <= MAX_LENGTH else []
    except (re.error, OverflowError, RecursionError):
        raise Invalid(f"{pattern[:100]!r} is not a regular expression") from None
    if len(pattern) > MAX_LENGTH or len(repeats) > MAX_OPEN_REPEATS or any(depth for depth in repeats):
        raise Invalid(
            f"The regular expression {pattern[:100]!r} could take too long to match: use at most {MAX_OPEN_REPEATS} "
            f"repeats, none inside another, no look-around, no back reference and {MAX_LENGTH} characters."
        )


def _repeats(parsed: Any, depth: int) -> Iterator[int]:
    """Yield for each repeat of more than one how many others it stands in; a refused construct counts as nested."""
    for operation, argument in parsed:
        if operation in _REFUSED:
            yield 1
        elif operation in _REPEATS:
            _, most, inner = argument
            is_repeat = int(most > 1)
            if is_repeat:
                yield depth
            yield from _repeats(inner, depth + is_repeat)
        else:
            for inner in _inner(argument):
                yield from _repeats(inner, depth)


def _inner(argument: Any) -> Iterator[Any]:
    """Yield the patterns inside a construct's argument: groups, alternatives."""
    if isinstance(argument, sre.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for part in argument:
            yield from _inner(part)
