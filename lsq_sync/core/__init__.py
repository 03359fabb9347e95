"""The pure core: no files, network, clock, randomness, environment, async or logging."""
