"""The limit on the work of one search, in steps, so that it is the same on every machine."""

from __future__ import annotations

# A step is one block of a posting list (about a hundred stories), one look-up of a word, or 500
# positions of a word in a story: 50 to 150 microseconds. Over 50,000 stories an ordinary search
# takes a few hundred steps, and a search for ten words that occur in every story about 5,000.
MAX_STEPS = 12_000
MAX_SPELLING_STEPS = 1_500  # for a spelling suggestion, in addition


class Budget:
    """The steps that one search may take. Then the search returns what it has found so far."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.limit = steps
        self.spent = 0

    def spend(self, steps: int = 1) -> bool:
        """Count steps before they are taken, and return whether the budget allows them."""
        self.spent += steps
        return self.spent <= self.limit

    @property
    def is_exhausted(self) -> bool:
        """Whether the search had to leave something out."""
        return self.spent > self.limit
