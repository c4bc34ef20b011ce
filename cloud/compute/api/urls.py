"""Routes of the compute API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
