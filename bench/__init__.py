"""What we measure, against its limits."""
