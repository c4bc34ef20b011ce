"""Numbers for words, so that comparing a column of words is comparing a column of integers."""

UNKNOWN = -1


class Codes:
    """Gives each word a small number, the same one as long as the table lives."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def code(self, word: str) -> int:
        """Return the word's number; a new word gets the next one."""
        return self._codes.setdefault(word, len(self._codes))

    def find(self, word: str) -> int:
        """Return the word's number, or `UNKNOWN`, which no host has."""
        return self._codes.get(word, UNKNOWN)
