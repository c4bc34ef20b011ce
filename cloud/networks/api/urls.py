"""Routes of the networks API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
