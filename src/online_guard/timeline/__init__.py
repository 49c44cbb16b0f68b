"""Evidence → derived columns: facts in seconds and positions, no judgement. NumPy only."""
