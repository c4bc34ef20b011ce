"""Whether the simulation sees in which order a transaction locks rows."""

from types import SimpleNamespace

import pytest

from tests.chaos.sim.row_order import RowOrder

LOCK = 'SELECT "{0}"."id" FROM "{0}" WHERE "{0}"."id" = %s FOR UPDATE'
REMARK = 'SELECT "{0}"."id" FROM "{0}" /* FOR UPDATE */'
READ, WRITE, DROP = 'SELECT "{0}"."id" FROM "{0}"', 'UPDATE "{0}" SET "x" = 1', 'DELETE FROM "{0}"'
HOSTS, SERVER, MOVE, OPERATION, STEPS, QUOTA = (
    "placement_resourceprovider", "compute_instance", "compute_migration", "compute_operation", "compute_step",
    "identity_quotausage",
)  # fmt: skip


@pytest.fixture
def connection():
    return SimpleNamespace(vendor="postgresql", in_atomic_block=True)


@pytest.fixture
def order(connection):
    return RowOrder(connection)


def breaches(order, *statements, row_count=1):
    return [breach for form, table in statements if (breach := order.breach(form.format(table), row_count))]


@pytest.mark.parametrize("statements", [
    [(LOCK, HOSTS), (WRITE, SERVER), (WRITE, MOVE), (WRITE, OPERATION), (WRITE, STEPS), (WRITE, QUOTA)],
    [(LOCK, HOSTS), (LOCK, SERVER), (LOCK, OPERATION), (WRITE, QUOTA), (WRITE, OPERATION), (WRITE, SERVER)],
    [(WRITE, OPERATION), (READ, SERVER), (READ, HOSTS)],
    [(WRITE, QUOTA), (WRITE, "networks_port")],
])  # fmt: skip
def test_what_is_in_order_or_only_read_is_none(order, statements):
    assert breaches(order, *statements) == []


@pytest.mark.parametrize(("first", "then"), [
    (SERVER, HOSTS), (MOVE, SERVER), (OPERATION, SERVER), (STEPS, OPERATION), (QUOTA, STEPS), (QUOTA, HOSTS),
])  # fmt: skip
@pytest.mark.parametrize("form", [LOCK, REMARK, WRITE, DROP])
def test_what_is_locked_too_late_is_a_breach_once(order, form, first, then):
    (breach,) = breaches(order, (WRITE, first), (form, then), (form, then))
    assert breach == f"rows of {then} are locked after those of {first}"


def test_each_transaction_begins_anew(order, connection):
    assert breaches(order, (WRITE, QUOTA)) == []
    order.begin_anew()
    assert breaches(order, (WRITE, SERVER)) == []
    connection.in_atomic_block = False  # each statement is a transaction of its own
    assert breaches(order, (WRITE, QUOTA), (WRITE, HOSTS)) == []


def test_what_met_no_row_locked_none(order):
    assert breaches(order, (WRITE, QUOTA), row_count=0) == []
    assert breaches(order, (WRITE, SERVER)) == []
