"""Benchmarks: each module is a command of its own that prints lines of `name value unit goal`; a dash is no goal."""
