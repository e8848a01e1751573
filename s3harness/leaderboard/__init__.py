"""Submissions and the leaderboard: pack a run, verify what others packed, build the pages."""
