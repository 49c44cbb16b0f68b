"""Logs of past sessions: taken in, read, admitted and merged."""
