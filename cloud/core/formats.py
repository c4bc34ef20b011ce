"""Formats that JSON schema leaves to us."""

import base64
import binascii
import ipaddress
import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.dateparse import parse_date, parse_datetime

if TYPE_CHECKING:  # services ask for a format too, in processes that validate nothing and do without the library
    from jsonschema import FormatChecker

# Printable in every script, no control or invisible characters, no surrogates; blanks may stand inside only.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufffe\uffff]")
_YEAR = re.compile(r"\d{4}(-\d{2})?")
_HOSTNAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")


def is_printable(text: str) -> bool:
    """Tell whether a text has neither control characters nor halves of surrogate pairs."""
    return _CONTROL.search(text) is None


def is_name(text: str) -> bool:
    """Tell whether a text may name something: printable, not blank, no blanks at its ends."""
    return bool(text) and text == text.strip() and is_printable(text)


def is_uuid(text: str) -> bool:
    """Tell whether a text is a uuid, with or without dashes."""
    try:
        return uuid.UUID(text).hex == text.replace("-", "").lower() and len(text) in (32, 36)
    except ValueError:
        return False


def is_date_time(text: str) -> bool:
    """Tell whether a text is an ISO 8601 time; a date, a month or a year alone passes too, as in Nova."""
    try:
        return bool(_YEAR.fullmatch(text) or parse_datetime(text) or parse_date(text))
    except ValueError:
        return False


def is_base64(text: str) -> bool:
    """Tell whether a text is base64, blanks and line ends apart."""
    try:
        base64.b64decode(re.sub(r"\s+", "", text), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def is_lenient_base64(text: str) -> bool:
    """Tell whether a text is base64 when everything outside its alphabet is passed over, as Nova reads user data."""
    try:
        base64.b64decode(text.encode("ascii"))
    except (binascii.Error, UnicodeEncodeError):
        return False
    return True


def is_uri(text: str) -> bool:
    """Tell whether a text is an absolute URI."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)


def _is_ip(kind: type) -> object:
    def check(text: str) -> bool:
        try:
            kind(text)
        except ValueError:
            return False
        return True

    return check


def is_regex(text: str) -> bool:
    """Tell whether a text is a regular expression. One with a set inside a set, as in POSIX, is not."""
    if "[[" in text:
        return False
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


_FORMATS = {
    "name": is_name,
    "printable": is_printable,
    "uuid": is_uuid,
    "date-time": is_date_time,
    "base64": is_base64,
    "base64-lenient": is_lenient_base64,
    "uri": is_uri,
    "regex": is_regex,
    "ipv4": _is_ip(ipaddress.IPv4Address),
    "ipv6": _is_ip(ipaddress.IPv6Address),
    "ip-address": _is_ip(ipaddress.ip_address),
    "cidr": _is_ip(lambda text: ipaddress.ip_network(text, strict=False)),  # type: ignore[arg-type]
    "hostname": lambda text: _HOSTNAME.fullmatch(text) is not None,
    "fqdn": lambda text: all(_HOSTNAME.fullmatch(label) for label in text.split(".")),
}


def register_formats(checker: "FormatChecker") -> None:
    """Teach a checker our formats; values that are not strings are the business of `type`."""
    for name, check in _FORMATS.items():
        checker.checks(name)(lambda value, check=check: not isinstance(value, str) or check(value))
