"""What a mutant may change: Cosmic Ray's operators, and ours in its interface."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.operators.provider import OperatorProvider

Node = Any  # of parso, which has no types
Positions = Iterator[tuple[tuple[int, int], tuple[int, int]]]

CORE = (
    "ReplaceTrueWithFalse ReplaceFalseWithTrue "
    "ReplaceAndWithOr ReplaceOrWithAnd ReplaceBreakWithContinue ReplaceContinueWithBreak "
    "ReplaceUnaryOperator_Delete_Not ReplaceUnaryOperator_Delete_USub "
    "ReplaceBinaryOperator_Add_Sub ReplaceBinaryOperator_Sub_Add ReplaceBinaryOperator_Mul_Div "
    "ReplaceBinaryOperator_Div_Mul ReplaceBinaryOperator_FloorDiv_Mul "
    "ReplaceBinaryOperator_Mod_Add ReplaceBinaryOperator_BitOr_BitAnd "
    "ReplaceBinaryOperator_BitAnd_BitOr ReplaceComparisonOperator_Eq_NotEq "
    "ReplaceComparisonOperator_NotEq_Eq ReplaceComparisonOperator_Lt_LtE "
    "ReplaceComparisonOperator_LtE_Lt ReplaceComparisonOperator_Gt_GtE "
    "ReplaceComparisonOperator_GtE_Gt ReplaceComparisonOperator_Is_IsNot "
    "ReplaceComparisonOperator_IsNot_Is"
).split()


_SILENT_CALLS = ("Literal[", "TypeVar(", "cast(", "log.debug(")


class Rewrite(Operator):
    """Operator that replaces a whole node by one of a few texts."""

    before = after = ""

    def texts(self, node: Node) -> tuple[str, ...]:
        """Return what may stand in place of the node."""
        raise NotImplementedError

    def mutation_positions(self, node: Node) -> Positions:
        """Yield the node's position once for each text."""
        for _ in self.texts(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Return the text as a node, with the white space and comments before it."""
        prefix = node.get_first_leaf().prefix
        return parso.python.tree.Name(self.texts(node)[index], node.start_pos, prefix)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return one example."""
        return (Example(cls.before, cls.after),)


class EmptyString(Rewrite):
    """Empty a string, or a formatted string."""

    before, after = "word = f'a {b}' 'c'", "word = '' 'c'"

    def texts(self, node: Node) -> tuple[str, ...]:
        """Return an empty string of the same type."""
        if node.type not in {"string", "fstring"}:
            return ()
        empty = "b''" if node.get_first_leaf().value[:2].lower().startswith("b") else "''"
        return () if node.get_code(include_prefix=False)[1:] in {"'", '"'} else (empty,)


class EmptyNumber(Rewrite):
    """Change a small number by one, and make a larger one 0: a limit or a time that is lost."""

    before, after = "limit = 5_000", "limit = 0"

    def texts(self, node: Node) -> tuple[str, ...]:
        """Return the neighbours of a digit, or 0."""
        if node.type != "number":
            return ()
        value = ast.literal_eval(node.value)
        if isinstance(value, float) or value > 9:
            return ("0",) if value else ("1.0",)
        return (str(value + 1), str(value - 1)) if value else ("1",)


class ForceCondition(Rewrite):
    """Make a condition always true, or always false."""

    before, after = "if a: b", "if True: b"

    def texts(self, node: Node) -> tuple[str, ...]:
        """Return both values for the condition of a statement, an expression or a filter."""
        previous = node.get_previous_sibling() if node.parent else None
        conditional = previous is not None and previous.type == "keyword"
        if conditional and previous.value in {"if", "elif", "while"}:
            return ("True", "False")
        return ()


class RemoveCall(Rewrite):
    """Leave out a call whose result is not used."""

    before, after = "a.b(c)", "pass"

    def texts(self, node: Node) -> tuple[str, ...]:
        """Return `pass` for a statement that is one call."""
        statement = node.parent is not None and node.parent.type in {"simple_stmt", "file_input"}
        called = node.type == "atom_expr" and node.children[-1].get_code().startswith("(")
        return ("pass",) if statement and called else ()


class ReturnNone(Rewrite):
    """Return None instead of a value."""

    before, after = "def f(): return 1", "def f(): return None"

    def texts(self, node: Node) -> tuple[str, ...]:
        """Return a bare result, unless the value is as false as None."""
        if node.type != "return_stmt" or node.children[1].get_code().strip() in {
            *("None", "False", "0", "''", '""', "()", "[]", "{}")
        }:
            return ()
        return ("return None",)


class DisableHandler(Rewrite):
    """Catch nothing in a handler of exceptions."""

    before, after = "try: a\nexcept B as b: c", "try: a\nexcept () as b: c"

    def texts(self, node: Node) -> tuple[str, ...]:
        """Return an empty tuple for the exceptions of a handler."""
        clause = node.parent
        return (
            ("()",)
            if clause and clause.type == "except_clause" and node is clause.children[1]
            else ()
        )


class Invert(Rewrite):
    """Turn `in` into `not in`, and the reverse."""

    before, after = "a = b in c", "a = b not in c"

    def texts(self, node: Node) -> tuple[str, ...]:
        """Return the opposite operator, if it compares."""
        if node.parent is None or node.parent.type != "comparison":
            return ()
        opposite = {"in": "not in", "not in": "in"}
        code = " ".join(node.get_code().split())
        return (opposite[code],) if code in opposite else ()


OWN = (EmptyString, EmptyNumber, ForceCondition, RemoveCall, ReturnNone, DisableHandler, Invert)
OPERATORS = {name: OperatorProvider()[name]() for name in CORE}
OPERATORS |= {operator.__name__: operator() for operator in OWN}


class Mutation(NamedTuple):
    """One change of one file."""

    path: str
    line: int
    operator: str
    occurrence: int

    def apply(self, source: str) -> str | None:
        """Return the changed source, or None if it means the same or does not compile."""
        changed = mutate_code(source, OPERATORS[self.operator], self.occurrence)
        try:
            same = changed is None or ast.dump(ast.parse(changed)) == ast.dump(ast.parse(source))
        except SyntaxError:
            return None
        return None if same else changed


def mutations(path: str, source: str) -> Iterator[Mutation]:
    """Yield every mutation of a module that a person could notice."""
    counts = dict.fromkeys(OPERATORS, 0)
    for node in ast_nodes(get_ast(source)):
        for name, operator in OPERATORS.items():
            for start, _ in operator.mutation_positions(node):
                if not _silent(node):
                    yield Mutation(path, start[0], name, counts[name])
                counts[name] += 1


def _silent(node: Node) -> bool:
    """Tell whether a node lies in a docstring, a type, `__all__`, `__repr__` or a debug message."""
    child, parent = node, node.parent
    if node.type == "string" and parent.type == "simple_stmt":
        return True
    while parent is not None:
        kind = parent.type
        if (
            (kind == "tfpdef")
            or (kind == "annassign" and child is parent.children[1])
            or (
                kind == "funcdef"
                and (child is parent.annotation or parent.name.value == "__repr__")
            )
            or (kind == "expr_stmt" and parent.children[0].get_code().strip() == "__all__")
            or (kind == "if_stmt" and parent.children[1].get_code() == " TYPE_CHECKING")
            or (kind == "atom_expr" and parent.get_code().strip().startswith(_SILENT_CALLS))
        ):
            return True
        child, parent = parent, parent.parent
    return False
