"""What the sweeps found and have not mended yet (cell)."""

from django.db import models


class Discrepancy(models.Model):
    """A breach of an invariant as one sweep lists it, so that the next one knows that it lasts.

    `digest` is of all that the finding says: another text is another finding. `command` is what mends it by hand.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    invariant = models.CharField(max_length=8)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    command = models.TextField(blank=True, default="")
    found_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "discrepancies"

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.text}"
