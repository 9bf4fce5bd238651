"""Films of the user's clips: where to cut, and what is shown."""
