"""How fast the tool is, shown by running it: `make bench`."""
