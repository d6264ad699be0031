"""What several probes share: how a rule is tried alone, and on real rows with everything in place."""
