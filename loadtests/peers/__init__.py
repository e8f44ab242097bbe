"""The same work, done by the stream libraries that Python has; and by ours, where no service of ours does just that."""
