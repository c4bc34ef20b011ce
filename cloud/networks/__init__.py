"""Networks, subnets, ports, security groups."""
