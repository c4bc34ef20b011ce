"""The health page: how old the oldest transient state is, and whatever else waits for somebody."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cloud.compute.selectors.health import health


def health_page(request: HttpRequest) -> HttpResponse:
    """Answer the page, which renews its middle every two seconds."""
    return render(request, "admin/compute/health.html", {**admin.site.each_context(request), "title": "Health"})


def health_fragment(request: HttpRequest) -> HttpResponse:
    """Answer the middle alone."""
    return render(request, "admin/compute/health_values.html", {"health": health()})
