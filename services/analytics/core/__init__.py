"""What analytics decides, pure: where an item stands, what an analyst may ask, which bucket counts for a chart."""
