"""A made-up coffee shop: its customers' traffic, played through real clients, and its story."""
