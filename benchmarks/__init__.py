"""Every performance and accuracy claim, re-measured by: python -m benchmarks list | NAME…"""
