"""What a team learned: files that are reviewed like code, found in conversations, kept in step."""
