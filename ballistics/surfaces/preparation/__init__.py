"""From a Surface to a Mark, step by step."""
