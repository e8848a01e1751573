"""The paper's benchmark: the authors' release read, its numbers reproduced, and what they show."""
