"""What review decides, without clock, chance or input and output."""
