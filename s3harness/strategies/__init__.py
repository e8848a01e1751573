"""Strategies: by which turns of a conversation an item is answered, within which budget."""
