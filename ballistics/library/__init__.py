"""The store of a collection of marks: rows, arrays, templates, enrolment, integrity, backup."""
