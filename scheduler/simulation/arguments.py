"""Values on a command line: what cannot be meant is refused with a sentence."""

import argparse
import math
from collections.abc import Callable
from typing import TypeVar

_MOST_HOURS = 24 * 365
T = TypeVar("T")


def told(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return a reader whose ValueError is the sentence that a person sees."""

    def value(text: str) -> T:
        try:
            return read(text)
        except ValueError as exc:
            raise argparse.ArgumentTypeError(str(exc)) from exc

    return value


def whole_number(text: str, most: int, least: int = 1) -> int:
    """Return a number.

    Raises:
        ValueError: it is none, or smaller than `least`, or larger than `most`.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 20 or not least <= int(text) <= most:
        raise ValueError(f"{text!r} is no number from {least} to {most}")
    return int(text)


def up_to(most: int, least: int = 1) -> Callable[[str], int]:
    """Return a reader of numbers from `least` to `most`."""
    return told(lambda text: whole_number(text, most, least))


def hours(text: str) -> float:
    """Return a number of hours, of a year at most."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0.1 <= found <= _MOST_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours from 0.1 to {_MOST_HOURS}")
    return found
