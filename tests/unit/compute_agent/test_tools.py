"""Programs under limits."""

import pytest

from compute_agent.errors import AgentError
from compute_agent.storage.tools import run_tool


def test_threads_share_one_arena_so_that_the_address_space_suffices():
    """One in forty conversions failed, for the arenas of its threads."""
    run_tool("sh", "-c", 'test "$MALLOC_ARENA_MAX" = 1')


def test_a_program_that_fails_is_named_with_what_it_said():
    with pytest.raises(AgentError, match="sh ended with 3: no luck"):
        run_tool("sh", "-c", "echo no luck >&2; exit 3")
