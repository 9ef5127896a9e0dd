"""How much work one search may do, counted in steps that cost about the same on every machine."""

from __future__ import annotations

# A step is a block of a word's list (some hundred stories) or a place in the list of words: 50 to 150 microseconds. An
# ordinary search over 50,000 stories takes a few hundred steps, ten words that every story has some 5,000.
MAX_STEPS = 12_000
MAX_SPELLING_STEPS = 1_500


class Budget:
    """The steps that one search may still take; once they are spent it answers with what it has found."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.limit = steps
        self.spent = 0

    def spend(self, steps: int = 1) -> bool:
        """Count steps that are about to be taken; say whether they may be."""
        self.spent += steps
        return self.spent <= self.limit

    @property
    def is_exhausted(self) -> bool:
        """Whether something was left out because of it."""
        return self.spent > self.limit
