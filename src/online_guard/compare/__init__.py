"""Two results of `revalidate` → which sessions, class hours and learners differ, and by which rule; no database."""

from online_guard.compare.comparison import Comparison, compare, write
from online_guard.compare.results import Results, read_results

__all__ = ["Comparison", "Results", "compare", "read_results", "write"]
