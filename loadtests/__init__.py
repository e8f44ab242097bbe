"""Posts with known labels, played through the real interfaces; an independent count of what became of them."""
