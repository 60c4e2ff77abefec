"""X3P (ISO 5436-2, ISO 25178-72): archive, document, reader, writer."""
