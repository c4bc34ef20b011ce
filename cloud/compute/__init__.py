"""Servers, flavors, keypairs, hosts, and the operations on them."""
