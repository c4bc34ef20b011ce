"""The plugins that every test may use. Fixtures live in `tests/fixtures/`, one file each."""

pytest_plugins = ["tests.fixtures.redis"]
