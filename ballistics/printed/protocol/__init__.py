"""The open protocol: how often the references of a collection are found, and others are hit, measured on itself."""
