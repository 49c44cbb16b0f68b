"""A demonstration: one class studied over HTTP in a minute, and a report that shows what was found and why."""
