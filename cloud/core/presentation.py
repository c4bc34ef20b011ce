"""What the admin's pages are made of: badges, links, durations, lists that can only be read."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NOTHING = "-"
# word -> tone, which the style sheet gives a colour
_TONES = {
    **dict.fromkeys(("active", "succeeded", "done", "up", "enabled", "success", "accepted"), "good"),
    **dict.fromkeys(("error", "failed", "down", "failure", "killed", "rejected"), "bad"),
    **dict.fromkeys(("running", "sent", "build", "reboot", "hard_reboot", "saving", "importing", "started"), "busy"),
    **dict.fromkeys(("disabled", "queued", "retry", "deactivated"), "warn"),
}


def tone(word: str) -> str:
    """Return how a state feels: good, bad, busy, warn or plain."""
    return _TONES.get(word.lower(), "plain")


def badge(word: str, feel: str = "") -> SafeString:
    """Return a state as a coloured word."""
    return format_html('<span class="badge {}">{}</span>', feel or tone(word), word)


def link(page: str, key: object, text: object) -> SafeString:
    """Return a link to one object's page.

    Args:
        page: app and model, e.g. `compute_instance`.
        key: primary key.
        text: what to show.
    """
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{page}_change", args=[key]), text)


def list_link(page: str, text: object, **query: str) -> SafeString:
    """Return a link to a list, filtered."""
    url = reverse(f"admin:{page}_changelist", query=query)
    return format_html('<a href="{}">{}</a>', url, text)


def meter(used: float, whole: float) -> SafeString:
    """Return how much of something is used, as figures over a bar."""
    share = min(100 * used / whole, 100) if whole else 0
    feel = "full" if share >= 95 else "plain"
    return format_html(
        '<span class="meter {}"><span style="width:{}%"></span></span> {} / {}', feel, f"{share:.1f}",
        f"{round(used, 1):g}", f"{round(whole, 1):g}",
    )


def duration(seconds: float | None) -> str:
    """Return a span of time in the unit that suits it."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def span(since: datetime | None, until: datetime | None = None) -> str:
    """Return how long something took, or has taken so far."""
    if since is None:
        return NOTHING
    return duration(((until or timezone.now()) - since).total_seconds())


def small_table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> SafeString | str:
    """Return a table to stand in a page's field; what is in its cells is escaped unless it is safe."""
    body = [format_html("<tr>{}</tr>", format_html_join("", "<td>{}</td>", ((cell,) for cell in row))) for row in rows]
    if not body:
        return NOTHING
    titles = format_html_join("", "<th>{}</th>", ((title,) for title in head))
    lines = format_html_join("", "{}", ((line,) for line in body))
    return format_html('<table class="inner"><tr>{}</tr>{}</table>', titles, lines)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that show the truth and must not be edited by hand."""

    show_full_result_count = False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list under its own name: there is nothing to select for change."""
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds one here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one here."""
        return False


class WholePage:
    """For a list whose rows need something from other tables: `complete` reads it for the whole page at once."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return a list that completes its page."""
        complete = self.complete

        class CompletedList(ChangeList):
            def get_results(self, request: HttpRequest) -> None:
                super().get_results(request)
                self.result_list = list(self.result_list)
                complete(self.result_list)

        return CompletedList

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return one row, completed like those of a list."""
        found = super().get_object(request, *args, **kwargs)  # type: ignore[misc]
        if found is not None:
            self.complete([found])
        return found

    def complete(self, rows: Sequence[Any]) -> None:
        """Give each row what its columns show beside its own fields."""
        raise NotImplementedError
