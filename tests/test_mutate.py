"""The mutation tests: what a mutant changes, and what is left alone."""

from __future__ import annotations

import pytest

pytest.importorskip("cosmic_ray", reason="make mutate installs it")
from cosmic_ray.mutating import mutate_code

from tests.mutation.operators import OWN, Rewrite, mutations

MODULE = '''
"""A docstring."""
__all__ = ["f"]
LIMIT: Literal["a"] = 5_000

def f(x: "Name" = "y") -> "Name":
    """Another one."""
    log.debug("skipped %s", 3)
    while x not in {b"z", 7}:
        g(f"{x}")
    return x if x else ""

def __repr__():
    return "never read"
'''


@pytest.mark.parametrize("operator", OWN, ids=lambda operator: operator.__name__)
def test_own_operators_change_what_their_example_says(operator: type[Rewrite]) -> None:
    example = operator.examples()[0]
    changed = mutate_code(example.pre_mutation_code, operator(), 0)
    assert changed == example.post_mutation_code


def test_mutants_change_code_that_a_person_could_notice() -> None:
    lines = MODULE.splitlines()
    changes = set()
    for mutation in mutations("module.py", MODULE):
        changed = mutation.apply(MODULE)
        if changed is not None:
            changes |= {new.strip() for new in changed.splitlines() if new not in lines}
    assert changes == {
        'LIMIT: Literal["a"] = 0',
        """def f(x: "Name" = '') -> "Name":""",
        "while True:",
        "while False:",
        'while x in {b"z", 7}:',
        "while x not in {b'', 7}:",
        'while x not in {b"z", 8}:',
        'while x not in {b"z", 6}:',
        "g('')",
        "pass",
        'return x if True else ""',
        'return x if False else ""',
        "return None",
    }


def test_a_change_without_effect_is_no_mutant() -> None:
    source = "while True:\n    f()\n"
    operators = {m.operator for m in mutations("module.py", source) if m.apply(source)}
    assert operators == {"ForceCondition", "ReplaceTrueWithFalse", "RemoveCall"}
