"""Decisions of the retrainer: pure, without clock, luck or I/O."""
