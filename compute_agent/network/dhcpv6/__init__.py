"""DHCPv6 (RFC 8415): what the document says of a port is all that it is ever given; a small process answers."""
