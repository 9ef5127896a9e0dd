"""The limit on the work of one search, in steps, so that it is the same on every machine."""

from __future__ import annotations

# A step is one block of a posting list (about a hundred stories), one look-up of a word, or 500
# positions of a word in a story: 50 to 150 microseconds. Over 50,000 stories an ordinary search
# takes a few hundred steps, and a search for ten words that occur in every story about 5,000.
MAX_STEPS = 12_000
MAX_SPELLING_STEPS = 1_500  # for a spelling suggestion, in addition
# Of a search that counts words only, and reads in each look-up the blocks with its documents.
_DOCUMENTS_PER_STEP, _MAX_STEPS_PER_WORD = 8, 200


class Budget:
    """The steps that one search may take. Then the search returns what it has found so far."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.limit = steps
        self.spent = 0
        self.steps_per_word: int | None = None
        self.is_cut = False  # whether the search left out words for their size, or names

    def count_words_only(self, documents: int) -> None:
        """Let the steps depend on the words of the query and a number of documents alone.

        Blocks and segments depend on other documents too, which the end of a search would reveal. A
        look-up reads at most one block for each of these documents; an eighth of that is counted.
        """
        self.steps_per_word = min(1 + documents // _DOCUMENTS_PER_STEP, _MAX_STEPS_PER_WORD)

    def spend_word(self, segments: int) -> bool:
        """Count the look-up of a word in all segments, and return whether the budget allows it."""
        return self.spend(segments if self.steps_per_word is None else self.steps_per_word)

    def spend_block(self) -> bool:
        """Count a block that is read, and return whether the budget allows it."""
        return self.steps_per_word is not None or self.spend()

    def spend(self, steps: int = 1) -> bool:
        """Count steps before they are taken, and return whether the budget allows them."""
        self.spent += steps
        return self.spent <= self.limit

    @property
    def is_exhausted(self) -> bool:
        """Whether no step is left."""
        return self.spent > self.limit

    @property
    def has_left_out(self) -> bool:
        """Whether the search had to leave something out."""
        return self.is_exhausted or self.is_cut
