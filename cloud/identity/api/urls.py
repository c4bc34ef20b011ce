"""Routes of the identity API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
