"""`ballistics case`, `ballistics range`, `ballistics quality`: the records of a laboratory."""
