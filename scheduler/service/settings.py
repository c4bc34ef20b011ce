"""What a scheduler is told by its environment: read once, validated once, frozen."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from scheduler.core.policies import DEFAULT, POLICIES

_SCHEMES = frozenset({"redis", "rediss", "unix"})


class SettingsError(ValueError):
    """A variable of the environment has a value that the scheduler cannot work with."""


@dataclass(frozen=True)
class Settings:
    """How this scheduler works.

    Attributes:
        redis_url: broker and feed.
        snapshot_wait_seconds: how long a request waits for the first snapshot of all hosts.
        ask_again_seconds: how long a snapshot that was asked for may take before it is asked for again.
        resync_seconds: age of the last snapshot at which a new one is asked for, lest a lost change stay lost.
        promise_seconds: how long a server counts as placed on the chosen host if the feed says nothing of it.
        placement: which of `POLICIES` decides.
    """

    redis_url: str = "redis://127.0.0.1:6379/0"
    snapshot_wait_seconds: float = 5.0
    ask_again_seconds: float = 5.0
    resync_seconds: float = 300.0
    promise_seconds: float = 15.0
    placement: str = DEFAULT

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the settings that the environment describes.

        Raises:
            SettingsError: `REDIS_URL` is no address of a Redis, or `NOVELLA_PLACEMENT` names no policy.
        """
        redis_url = environ.get("REDIS_URL", cls.redis_url)
        if urlsplit(redis_url).scheme not in _SCHEMES:
            raise SettingsError(f"REDIS_URL must begin with redis://, rediss:// or unix://, not {redis_url[:20]!r}")
        placement = environ.get("NOVELLA_PLACEMENT") or cls.placement
        if placement not in POLICIES:
            raise SettingsError(f"NOVELLA_PLACEMENT must be one of {', '.join(POLICIES)}, not {placement[:20]!r}")
        return cls(redis_url=redis_url, placement=placement)
