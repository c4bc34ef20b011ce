"""What JSON schema leaves to us."""

import pytest

from cloud.core.errors import Invalid
from cloud.core.validation import check_body

NUMBER = {"type": ["integer", "string"], "pattern": "^-?[0-9]+$", "minimum": 1, "maximum": 10}


@pytest.mark.parametrize("value", [1, "1", 10, "10", "007"])
def test_numbers_may_come_as_text(value):
    check_body(NUMBER, value)


@pytest.mark.parametrize("value", [0, "0", "-3", 11, "11", "9" * 5000, "x", "", 1.5, None, True])
def test_limits_hold_for_text_too(value):
    with pytest.raises(Invalid):
        check_body(NUMBER, value)
