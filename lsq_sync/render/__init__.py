"""Values -> text, one module a format. Nobody prints here; escaping and masking happen here."""
