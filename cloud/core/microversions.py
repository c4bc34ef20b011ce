"""Microversions: numbers that compare, negotiation by both headers, tables of what varies with them.

Source: https://docs.openstack.org/api-guide/compute/microversions.html
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from cloud.core.errors import Invalid, NotAcceptable

_NUMBER = re.compile(r"([1-9]\d*)\.([1-9]\d*|0)")


class Version(NamedTuple):
    """A microversion; 2.9 is older than 2.10."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def version(text: str) -> Version:
    """Read `2.53`.

    Raises:
        ValueError: the text is no microversion.
    """
    match = _NUMBER.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a microversion")
    return Version(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Microversions:
    """The range of a service, the name it has in OpenStack-API-Version, and its older header of its own."""

    service: str
    minimum: Version
    maximum: Version
    legacy_header: str = ""

    @property
    def vary(self) -> str:
        """Value of the Vary header."""
        return ", ".join(filter(None, ("OpenStack-API-Version", self.legacy_header)))

    def echo(self, number: Version | str) -> dict[str, str]:
        """Return the headers that tell the client which version answered."""
        headers = {"OpenStack-API-Version": f"{self.service} {number}", "Vary": self.vary}
        if self.legacy_header:
            headers[self.legacy_header] = str(number)
        return headers

    def negotiate(self, meta: dict[str, Any]) -> Version:
        """Return the version that the request headers ask for; the minimum where they ask for none.

        Raises:
            Invalid: malformed, answered without an echo.
            NotAcceptable: outside the range, answered with the requested version echoed.
        """
        asked = self._asked(meta)
        if not asked:
            return self.minimum
        if asked == "latest":
            return self.maximum
        try:
            number = version(asked)
        except ValueError:
            raise Invalid(
                f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
            ) from None
        if not self.minimum <= number <= self.maximum:
            raise NotAcceptable(
                f"Version {asked} is not supported by the API. "
                f"Minimum is {self.minimum} and maximum is {self.maximum}.",
                headers=self.echo(asked),
            )
        return number

    def _asked(self, meta: dict[str, Any]) -> str:
        for part in meta.get("HTTP_OPENSTACK_API_VERSION", "").split(","):
            words = part.split()
            if len(words) == 2 and words[0] == self.service:
                return str(words[1])
        if self.legacy_header:
            key = "HTTP_" + self.legacy_header.upper().replace("-", "_")
            return str(meta.get(key, "")).strip()
        return ""


class ByVersion:
    """A value that changed with the microversions: `ByVersion({"2.1": a, "2.19": b})` is b from 2.19 on."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._steps = sorted(
            ((version(number), value) for number, value in values.items()), key=lambda step: step[0]
        )

    def at(self, number: Version) -> Any:
        """Return the value in force at a version; the oldest one below the first step."""
        found = self._steps[0][1]
        for since, value in self._steps:
            if since > number:
                break
            found = value
        return found

    @property
    def steps(self) -> list[tuple[Version, Any]]:
        """Every version at which the value changed, with its value from then on."""
        return list(self._steps)

    @property
    def newest(self) -> Any:
        """The value in force today."""
        return self._steps[-1][1]


def at_version(value: Any, number: Version) -> Any:
    """Return the value itself, or what a ByVersion holds at the version."""
    return value.at(number) if isinstance(value, ByVersion) else value
