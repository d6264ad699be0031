"""A marketplace: people sell products, others order and pay them."""
