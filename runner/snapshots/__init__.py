"""Base as it was replayed, kept between runs: what it rests on, how it is kept, and base from there."""
