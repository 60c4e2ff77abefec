"""
An examiner's first hour
========================

x
"""
