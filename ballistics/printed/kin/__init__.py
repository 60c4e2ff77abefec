"""Which references of a collection are revisions, parts or remixes of one another."""
