"""The one door for files: durable writing, locks, and bounded reading of JSON and arrays from outside."""
