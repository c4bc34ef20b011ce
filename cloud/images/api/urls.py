"""Routes of the images API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
