"""What is worth telling an agent for one prompt: learnings, conversations, skills, or nothing."""
