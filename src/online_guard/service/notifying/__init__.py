"""Webhooks: who is told, and how it is delivered."""
