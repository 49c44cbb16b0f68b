"""Who may call: platforms' keys, people's accounts and logins."""
