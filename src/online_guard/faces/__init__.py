"""Image bytes → facts about the face in them. No policy, no database, no network."""
