"""Read the console's log."""

from compute_agent.host import Host
from contracts.compute import ConsoleOutput, GetConsoleOutput

_MAX_CHARACTERS = 100_000
# A log is shown on terminals and travels in JSON; what is not text in it is of no use to its reader.
_CONTROL = {code: None for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


def get_console_output(host: Host, order: GetConsoleOutput) -> ConsoleOutput:
    """Return the end of the instance's console log, at most 100,000 characters of it. No log is an empty one."""
    text = host.storage.read_console(order.instance_uuid, order.length)
    return ConsoleOutput(output=text[-_MAX_CHARACTERS:].replace("\r\n", "\n").translate(_CONTROL))
