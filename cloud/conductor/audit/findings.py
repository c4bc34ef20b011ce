"""What an invariant finds."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """A breach of an invariant: its number, what it is about, and a sentence that says what is wrong.

    Two looks at the same breach give equal findings, so the text holds nothing that changes by itself.
    """

    invariant: str
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.text}"
