"""Readers and writers of the files of microscopes."""
