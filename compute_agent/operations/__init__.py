"""What a host can be told to do, one file per operation, each an `ensure` that looks first."""
