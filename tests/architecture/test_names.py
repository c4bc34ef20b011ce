"""Names say what a thing is; some never do."""

import re
from pathlib import PurePath

from tests.architecture.sources import sources

BANNED_FILES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "data", "info"}
BANNED_PREFIX = re.compile(r"_?(do|handle|process)_")
NOUNS = {"process_environment"}  # the environment of a process
# The hooks of others, which are named for us: of http.server, socketserver and Django.
HOOKS = re.compile(r"do_[A-Z]+|handle_error|process_(request|response|view|exception|template_response)")


def test_no_module_or_package_is_a_drawer():
    banned = [
        one.path for one in sources() if BANNED_FILES & {PurePath(part).stem for part in PurePath(one.path).parts}
    ]
    assert not banned


def test_no_function_only_does_handles_or_processes():
    banned = [
        f"{one.path}:{node.lineno} {node.name}"
        for one in sources()
        for node in one.functions()
        if BANNED_PREFIX.match(node.name) and not HOOKS.fullmatch(node.name) and node.name not in NOUNS
    ]
    assert not banned
