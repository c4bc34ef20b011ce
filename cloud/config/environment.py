"""The installation's environment file: `manage.py` works in any shell without exporting a thing."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[2]


def load_environment() -> None:
    """Read `<state folder>/env` into the environment; what is set already stays."""
    path = Path(os.environ.get("NOVELLA_STATE_DIR") or BASE_DIR / "var") / "env"
    if not path.is_file():
        return
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        # Make hands on what nobody chose as an empty text.
        if equals and not os.environ.get(name):
            os.environ[name] = value
