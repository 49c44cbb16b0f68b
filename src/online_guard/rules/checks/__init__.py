"""One rule a file; none knows another."""
