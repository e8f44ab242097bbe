"""What is observed, how it is counted in windows, and when that is an alarm. No clock, no I/O."""
