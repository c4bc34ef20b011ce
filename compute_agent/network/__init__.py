"""Networks on a host. `base` says what a driver promises; `fake` and `linux_bridge` both keep it."""
