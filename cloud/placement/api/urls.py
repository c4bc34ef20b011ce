"""Routes of the placement API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
