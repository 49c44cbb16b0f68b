"""All SQL, and everything sealed on disk."""
