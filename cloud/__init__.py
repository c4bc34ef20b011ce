"""The control plane: API, admin, central database, conductor. A Django project of one app for each domain."""
