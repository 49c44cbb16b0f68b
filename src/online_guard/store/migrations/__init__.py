"""Migrations, in order of their dates."""
