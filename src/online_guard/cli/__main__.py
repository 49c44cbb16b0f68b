"""`python -m online_guard.cli`."""

from online_guard.cli import main

main()
