"""One module a verb: gather the inputs, decide, carry out. No click, no printing."""
