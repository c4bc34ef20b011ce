"""A host's credential as a file: what systemd, a shell and the agent can read."""

CREDENTIAL = "NOVELLA_CREDENTIAL"
HOST_KEY = "NOVELLA_HOST_KEY"
REDIS_URL = "REDIS_URL"
_NAMES = (CREDENTIAL, HOST_KEY, REDIS_URL)


def credential_text(name: str, key: bytes, redis_url: str) -> str:
    """Return the lines of the file."""
    return "".join(f"{field}={value}\n" for field, value in zip(_NAMES, (name, key.hex(), redis_url), strict=True))


def read_credential(text: str) -> dict[str, str]:
    """Read the lines back.

    Raises:
        ValueError: one of them lacks.
    """
    pairs = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    missing = [name for name in _NAMES if not pairs.get(name)]
    if missing:
        raise ValueError(f"the credential lacks {', '.join(missing)}")
    return {name: pairs[name] for name in _NAMES}
