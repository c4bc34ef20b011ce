"""Several management commands by one process."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def test_commands_are_carried_out_in_turn_until_one_fails(settings, tmp_path):
    output = StringIO()
    call_command("in_turn", "check", "states", stdout=output)
    assert "== check" in output.getvalue()
    with pytest.raises(CommandError):
        call_command("in_turn", "no_such_command", "bootstrap", stdout=output)
    assert "== bootstrap" not in output.getvalue()
