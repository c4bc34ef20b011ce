"""What the OpenAPI document says of an operation is what the operation takes."""

import json
import re

import pytest

from cloud.core.formats import is_name, is_printable
from cloud.core.openapi import document


@pytest.fixture(scope="module")
def paths():
    return json.loads(json.dumps(document("t", "1")))["paths"]


def version_header(operation):
    return next(one for one in operation["parameters"] if one["name"] == "OpenStack-API-Version")


def test_microversions_are_those_of_the_operation(paths):
    assert version_header(paths["/compute/v2.1/os-hosts"]["get"])["schema"]["enum"] == ["compute 2.42", "compute 2.1"]
    update = version_header(paths["/compute/v2.1/flavors/{flavor_id}"]["put"])
    assert (update["schema"]["enum"], update["required"]) == (["compute 2.104", "compute 2.55"], True)


def test_actions_have_their_bodies(paths):
    operation = paths["/compute/v2.1/os-aggregates/{aggregate_id}/action"]["post"]
    bodies = operation["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert {body["required"][0] for body in bodies} == {"add_host", "remove_host", "set_metadata"}


def test_formats_of_ours_are_said_in_patterns(paths):
    operation = paths["/compute/v2.1/os-aggregates"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["properties"]["aggregate"]["properties"]["name"]
    assert "format" not in name
    for text in ("a", "a b", " a", "a ", "", "a\nb", "ä\u4e2d"):
        assert bool(re.search(name["pattern"], text)) == is_name(text)
    assert is_printable("a ")
