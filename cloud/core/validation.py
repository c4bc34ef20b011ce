"""JSON schema for bodies and queries, with the sentences that Nova's clients know.

A schema is compiled once. Query parameters are lists, because a parameter may come more than once.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

from django.http import QueryDict
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from cloud.core.errors import Invalid
from cloud.core.formats import register_formats

Schema = dict[str, Any]
_checker = FormatChecker()
register_formats(_checker)
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_MOST_DIGITS = 40


def _for_numbers_as_text(keyword: str) -> Any:
    """Let `minimum` and `maximum` judge whole numbers that come as text, which OpenStack takes for numbers too."""
    judge = Draft202012Validator.VALIDATORS[keyword]

    def check(validator: Any, limit: float, instance: object, schema: Schema) -> Any:
        yield from judge(validator, limit, _as_number(instance), schema) or ()

    return check


def _as_number(instance: object) -> object:
    if not isinstance(instance, str) or not _WHOLE_NUMBER.fullmatch(instance):
        return instance
    if len(instance) > _MOST_DIGITS:
        return -math.inf if instance.startswith("-") else math.inf
    return int(instance)


_Validator = extend(
    Draft202012Validator, {keyword: _for_numbers_as_text(keyword) for keyword in ("minimum", "maximum")}
)


class _Compiled:
    """A schema ready to judge."""

    def __init__(self, schema: Schema) -> None:
        self._validator = _Validator(schema, format_checker=_checker)

    def check(self, value: object, what: str) -> None:
        """Refuse what does not fit.

        Raises:
            Invalid
        """
        error = best_match(self._validator.iter_errors(value))
        if error is not None:
            raise Invalid(_sentence(error, what))


_compiled: dict[int, tuple[Schema, _Compiled]] = {}


def check_body(schema: Schema, body: object) -> None:
    """Check a request's body against a schema. Raises Invalid."""
    _compile(schema).check(body, "attribute")


def check_query(schema: Schema, query: QueryDict) -> None:
    """Check a query string against a schema whose properties are arrays of strings. Raises Invalid."""
    _compile(schema).check(dict(query.lists()), "query parameter")


def _compile(schema: Schema) -> _Compiled:
    # Schemas are module constants: their identity is their key, and the reference keeps the identity alive.
    if id(schema) not in _compiled:
        _compiled[id(schema)] = (schema, _Compiled(schema))
    return _compiled[id(schema)][1]


def _sentence(error: ValidationError, what: str) -> str:
    path = _path(error.absolute_path)
    if error.validator == "additionalProperties":
        return error.message
    if not path:
        return f"Invalid input for {what}: {_shorten(error.message)}" if what != "attribute" else error.message
    return f"Invalid input for field/{what} {path}. Value: {_shorten(str(error.instance))}. {_shorten(error.message)}"


def _path(parts: Iterable[object]) -> str:
    names = [str(part) for part in parts]
    return names[-1] if names and not names[-1].isdigit() else "/".join(names)


def _shorten(text: str) -> str:
    printable = re.sub(r"[\x00-\x1f\x7f]", "?", text)
    return printable if len(printable) <= 300 else printable[:300] + "..."
