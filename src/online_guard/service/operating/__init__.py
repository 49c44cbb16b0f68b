"""What keeps a house in order: backups, checks, retention, erasure, work, the evidence log."""
