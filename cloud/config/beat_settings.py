"""Beat's settings: the control plane's, but of its apps only the one with the lease."""

from cloud.config.settings import *  # noqa: F403

INSTALLED_APPS = ["cloud.core"]
