"""How long a command may take, declared once per command.

Choose by what the command waits for: URGENT for something a person stares at, FAST for work in memory or on a
local socket, PLACING for what may wait in the control plane's queues behind a burst of others, BRISK for a host's
work that no guest takes part in, NORMAL for work that one does, SLOW for anything that moves the bytes of a disk.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """The deadline of a command in seconds, and after how many seconds of silence it is sent again."""

    deadline_seconds: float
    resend_seconds: float


URGENT = Timing(deadline_seconds=10, resend_seconds=5)
FAST = Timing(deadline_seconds=60, resend_seconds=10)
PLACING = Timing(deadline_seconds=180, resend_seconds=10)
BRISK = Timing(deadline_seconds=180, resend_seconds=15)
NORMAL = Timing(deadline_seconds=180, resend_seconds=30)
SLOW = Timing(deadline_seconds=1800, resend_seconds=120)
