"""The plugins that every test may use. Fixtures live in `tests/fixtures/`, one file each."""

pytest_plugins = [
    "tests.fixtures.image_server",
    "tests.fixtures.libvirt",
    "tests.fixtures.quick",
    "tests.fixtures.redis",
    "tests.fixtures.workers",
]
