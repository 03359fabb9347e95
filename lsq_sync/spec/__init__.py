"""Files that people write: YAML and JSON Schema in, typed values and diagnostics out."""
