"""Sessions as they come: openings, batches of events, directives, and what was refused."""
