"""What every service runs on: the loop, keyed state, settings, logs, metrics, health. It knows no domain."""
