"""One machine's whole cloud: what `make up`, `make down`, `make status` and `make logs` do."""
