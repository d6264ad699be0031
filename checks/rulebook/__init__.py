"""The rules that a database holds its rows to: which there are, what they mean, and how many rows break them."""
