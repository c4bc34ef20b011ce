"""All that is known of servers goes from the database while their guests run: nobody touches the guests."""

import sqlite3
from contextlib import closing

import pytest

from tests.fixtures.clouds import wait_until

HERE = {"domain", "running", "tap", "disk", "metadata"}
# What a host says for the second time is acted upon; when it speaks again, it has done what it was told.
WORDS = 3
EMPTIED = (
    "compute_instance", "compute_operation", "compute_step", "compute_migration", "compute_instancefault",
    "compute_instancetag", "networks_port", "networks_fixedip", "placement_allocation",
)  # fmt: skip
# What sweeps count anew, seeing nothing.
COUNTED = ("identity_quotausage", "placement_inventory")


class Books:
    """The database of a cloud, as a person with a shell meets it."""

    def __init__(self, path):
        self._path = path

    def _do(self, job):
        with closing(sqlite3.connect(self._path, timeout=60, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            answer = job(connection)
            connection.execute("COMMIT")
            return answer

    def empty(self):
        """Remove all rows of servers; return what `fill` needs."""

        def job(connection):
            rows = {one: connection.execute(f"SELECT * FROM {one}").fetchall() for one in (*EMPTIED, *COUNTED)}  # noqa: S608
            for table in EMPTIED:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608
            return rows

        return self._do(job)

    def fill(self, rows):
        """Have the rows as they were."""

        def job(connection):
            for table, found in rows.items():
                for row in found:
                    places = ", ".join("?" * len(row))
                    connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({places})", row)  # noqa: S608

        self._do(job)

    def words(self):
        """Return when each host said last what lies on it."""
        return dict(self._do(lambda connection: connection.execute(
            "SELECT host, residue_at FROM compute_computenode"
        ).fetchall()))  # fmt: skip

    def orders(self):
        return self._do(lambda connection: connection.execute("SELECT host, name FROM core_unsentorder").fetchall())


@pytest.fixture
def guests(lab, make_server):
    """Where servers run, by id; there are no others."""
    compute = lab.connect("novella-admin").compute
    wait_until(lambda: not list(compute.servers(all_projects=True)), "no server to be")
    made = {make_server(f"lasting-{host}", host): host for host in ("h1", "h2")}
    yield made
    for uuid in made:
        compute.delete_server(uuid, ignore_missing=True)


def domain_ids(lab, guests):
    """Return what libvirt calls the guests: a number for each start."""
    return {uuid: lab.inside(host, "virsh", "domid", uuid).strip() for uuid, host in guests.items()}


def hear(books):
    """Wait until each host has said once more what lies on it."""
    before = books.words()
    wait_until(lambda: all(said != before[host] for host, said in books.words().items()), "a word of each host")


def test_guests_of_servers_that_nobody_knows_run_on(lab, guests):
    compute, books = lab.connect("novella-admin").compute, Books(lab.state_dir / "novella.sqlite3")
    before = domain_ids(lab, guests)
    rows = books.empty()
    try:
        assert not list(compute.servers())
        for _ in range(WORDS):
            hear(books)
        assert books.orders() == []
        assert {uuid: lab.holdings(host, uuid) for uuid, host in guests.items()} == dict.fromkeys(guests, HERE)
        said = lab.audit()
        assert all(f"a guest of {uuid}" in said for uuid in guests)
    finally:
        books.fill(rows)
    for uuid, host in guests.items():
        assert lab.settled(uuid, "ACTIVE").compute_host == host
    assert domain_ids(lab, guests) == before
    for uuid, host in guests.items():
        compute.delete_server(uuid)
        wait_until(lambda uuid=uuid, host=host: not lab.holdings(host, uuid), f"{host} to hold nothing of {uuid}")
