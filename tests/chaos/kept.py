"""What scenarios of the matrix told in a run that was cut off, so that the next one need not run them again."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

Tell = Callable[[Any], None]


class Kept:
    """A folder with a file for each scenario that came to its end without a failure.

    What they were chosen by stands in the file: told by another seed, it is not believed. The code must be the same.
    """

    def __init__(self, folder: Path, chosen_by: tuple[object, ...]) -> None:
        self._folder, self._chosen_by = folder, chosen_by
        folder.mkdir(parents=True, exist_ok=True)

    def told(self, name: str) -> list[Any]:
        """Return what a scenario told; nothing if it must be run."""
        try:
            with self._file(name).open("rb") as stream:
                chosen_by, told = pickle.load(stream)  # noqa: S301 - written below
        except FileNotFoundError:
            return []
        return list(told) if chosen_by == self._chosen_by else []

    def keeping(self, run: Callable[[str, Tell], None]) -> Callable[[str, Tell], None]:
        """Return a way to run a scenario which also keeps what it tells."""

        def run_and_keep(name: str, tell: Tell) -> None:
            told: list[Any] = []

            def tell_and_note(one: Any) -> None:
                told.append(one)
                tell(one)

            run(name, tell_and_note)
            if not any(_is_failure(one) for one in told):
                draft = self._file(name).with_suffix(".draft")
                draft.write_bytes(pickle.dumps((self._chosen_by, told)))
                draft.replace(self._file(name))

        return run_and_keep

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.told"


def _is_failure(told: Any) -> bool:
    return told[0] not in ("baseline", "count") and bool(told[1])
