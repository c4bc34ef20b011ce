"""Generated secrets: made at first use, kept in the state folder, never in the code."""

import os
import secrets
from pathlib import Path


def secret(state_dir: Path, name: str) -> str:
    """Return the secret of this name: from NOVELLA_SECRET_<NAME>, else from a file that is made where it lacks.

    Args:
        state_dir: folder of the installation's state; the file is `secrets/<name>` in it, readable by its owner.
        name: lower-case name of the secret.
    """
    given = os.environ.get(f"NOVELLA_SECRET_{name.upper()}")
    if given:
        return given
    folder = state_dir / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    # Two processes may start at once: whoever links first wins, both read the winner's.
    if not path.exists():
        draft = folder / f".{name}.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
