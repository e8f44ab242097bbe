"""What analytics decides, pure: what a record is to ClickHouse, where an item stands, what an analyst may ask."""
