"""Pictures and clips: taken in, looked at, compared and kept."""
