"""What Sluicegate runs on: the local stack, the container image, Kafka's topics, ClickHouse migrations, dashboards."""
