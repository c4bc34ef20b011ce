"""A cloud of fake hosts on a virtual clock: traces in, the scheduler's own decisions on them, figures out."""
