"""What an invariant finds."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """A breach of an invariant: its number, what it is about, a sentence that says what is wrong, and what mends it.

    Two looks at the same breach give equal findings, so the texts hold nothing that changes by itself.
    """

    invariant: str
    subject: str
    text: str
    command: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.text}"
