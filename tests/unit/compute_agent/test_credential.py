"""A credential that is renewed while the agent runs."""

import pytest

from compute_agent.credential import Credential
from compute_agent.settings import Settings
from contracts.credentials import credential_text

OLD, NEW = bytes(32), bytes(range(32))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "credential"
    path.write_text(credential_text("h1", OLD, "redis://user:old@r:1/0"))
    return path


@pytest.fixture
def credential(file):
    settings = Settings.from_environment({"NOVELLA_HOST": "h1", "NOVELLA_CREDENTIAL_FILE": str(file)})
    return Credential(settings)


def test_what_is_written_is_taken(credential, file):
    assert (credential.key(), credential.get_credentials()) == (OLD, ("user", "old"))
    file.write_text(credential_text("h1", NEW, "redis://user:n%2Fw@r:1/0"))
    assert (credential.key(), credential.get_credentials()) == (NEW, ("user", "n/w"))


@pytest.mark.parametrize(
    "text",
    ["", "NOVELLA_CREDENTIAL=h1\nNOVELLA_HOST_KEY=00", credential_text("h2", NEW, "redis://user:new@r:1/0"),
     "NOVELLA_CREDENTIAL=h1\nNOVELLA_HOST_KEY=nothex\nREDIS_URL=redis://user:new@r:1/0\n"],
)  # fmt: skip
def test_what_is_no_credential_of_this_agent_leaves_it_as_it_was(credential, file, text, caplog):
    file.write_text(text)
    assert (credential.key(), credential.get_credentials()) == (OLD, ("user", "old"))
    assert "stays as it was" in caplog.text
    file.write_text(credential_text("h1", NEW, "redis://user:new@r:1/0"))
    assert credential.key() == NEW


def test_a_file_that_is_gone_leaves_it_as_it_was(credential, file):
    file.unlink()
    assert credential.key() == OLD


def test_without_a_file_the_environment_counts():
    settings = Settings.from_environment({"NOVELLA_HOST": "h1", "NOVELLA_HOST_KEY": OLD.hex(), "REDIS_URL": "redis://r"})
    assert Credential(settings).key() == OLD
