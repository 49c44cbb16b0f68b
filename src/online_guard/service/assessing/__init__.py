"""From applications to published rosters, their papers, and results."""
