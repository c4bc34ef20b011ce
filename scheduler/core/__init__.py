"""The choice itself: values in, values out; no I/O, no clock, no randomness but the generator it is given."""
