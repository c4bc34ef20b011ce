"""Files that are sent to a store which goes away meanwhile."""

import hashlib

import pytest

from compute_agent.errors import TransferFailed
from compute_agent.storage.transfers import Transfers
from contracts.compute import DiskLink

DATA = b"disk" * 2**18


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize("refusals", [[0], [503, 500], [0, 502, 0]])
def test_what_was_cut_off_is_sent_again_from_its_beginning(image_server, path, tmp_path, refusals):
    image_server.refusals, url = list(refusals), image_server.place()
    sent = Transfers(5, [0, 0, 0]).send(path, url)
    assert (sent.size_bytes, sent.sha256) == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert len(image_server.requests) == len(refusals) + 1
    link = DiskLink(name="disk", url=url, size_bytes=sent.size_bytes, sha256=sent.sha256)
    Transfers(5, []).fetch(link, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == DATA


@pytest.mark.parametrize(("refusals", "requests"), [([403], 1), ([409], 1), ([0, 0, 0], 3), ([503] * 9, 3)])
def test_it_ends_with_a_reason_when_it_is_refused_or_the_store_stays_away(image_server, path, refusals, requests):
    image_server.refusals = refusals
    with pytest.raises(TransferFailed, match="disk"):
        Transfers(5, [0, 0]).send(path, image_server.place())
    assert len(image_server.requests) == requests
