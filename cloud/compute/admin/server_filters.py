"""The filters beside the list of servers."""

from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.db.models import Q

from cloud.compute.statuses import PLAIN, UNDER_WAY, states_of

_SHOWN = tuple(dict.fromkeys([*PLAIN.values(), *UNDER_WAY.values()]))


class StatusFilter(admin.SimpleListFilter):
    """By the word that clients see."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in _SHOWN if word != "DELETED"]

    def queryset(self, request: Any, queryset: Any) -> Any:
        pairs = states_of(self.value() or "")
        if not pairs:
            return queryset
        condition = (Q(vm_state=vm_state, task_state__in=tasks) for vm_state, tasks in pairs)
        return queryset.filter(reduce(or_, condition))


class LivingFilter(admin.SimpleListFilter):
    """The living, unless somebody asks for the dead: their rows stay for the history of their operations."""

    title = "deleted"
    parameter_name = "dead"
    _CHOICES = (("", "no"), ("1", "yes"), ("all", "all"))

    def lookups(self, request: Any, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return self._CHOICES[1:]

    def choices(self, changelist: Any) -> Any:
        for value, title in self._CHOICES:
            query = changelist.get_query_string({self.parameter_name: value} if value else {}, [self.parameter_name])
            yield {"selected": (self.value() or "") == value, "query_string": query, "display": title}

    def queryset(self, request: Any, queryset: Any) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.filter(deleted=self.value() == "1")


class BusyFilter(admin.SimpleListFilter):
    """By whether something is being done to them."""

    title = "under way"
    parameter_name = "busy"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "something"), ("0", "nothing")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        conditions = {"1": ~Q(task_state=""), "0": Q(task_state="")}
        return queryset.filter(conditions.get(self.value() or "", Q()))
