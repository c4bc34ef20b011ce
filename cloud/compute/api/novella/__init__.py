"""What this cloud answers beyond OpenStack, below a prefix of its own: placement reports and dry runs."""
