"""A laboratory's references: the folder, its index, its taxonomy, enrolment and integrity."""
