"""What a condition of a constraint means, in one form for all ways of writing it that mean the same.

PostgreSQL deparses ``x IN ('a')`` and ``x = ANY (ARRAY['a'])`` differently, a dump that was restored casts differently from what
was typed, and SQLite keeps every text as it was written. Only rewritings that hold with NULL too are made here: two conditions of
one form mean the same; two of different forms may.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from checks.interface import Engine
from checks.schema.sqlite_tokens import tokens

# Only what prints for dbproof may print: without a handler, logging would write sqlglot's warnings to stderr.
_SILENT = logging.NullHandler()

_DIALECTS = {Engine.POSTGRESQL: "postgres", Engine.MARIADB: "mysql"}
_TEXTS = frozenset({exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR})
#: A comparison and the same with its sides exchanged, so that ``a > b`` and ``b < a`` are one.
_TURNED: dict[type[exp.Expression], str] = {exp.GT: "<", exp.GTE: "<="}
_STRAIGHT: dict[type[exp.Expression], str] = {exp.LT: "<", exp.LTE: "<="}
#: What a comparison says where it is denied; both are NULL where a side is.
_DENIED: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
}


_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Like, exp.RegexpLike)


@lru_cache(maxsize=4096)
def conjuncts(condition: str, engine: Engine) -> frozenset[str]:
    """The parts of a condition that AND joins, each in its one form.

    A CHECK refuses a row where one of them is false, so it stands for a CHECK of any of them. A condition that cannot be parsed
    is one part, its own text.
    """
    tree = parsed(condition, engine)
    if tree is None:
        return frozenset({" ".join(token.plain for token in tokens(condition))})
    return frozenset(_form(part, engine) for part in _joined(tree, exp.And))


@lru_cache(maxsize=4096)
def said_of_null(column: str, engine: Engine, *, given: bool) -> str:
    """The one form of ``column IS NULL``, or (``given``) of ``column IS NOT NULL``."""
    named = exp.Column(this=exp.Identifier(this=column, quoted=True))
    return _form(exp.Is(this=named, expression=exp.Null(), negate=given), engine)


@lru_cache(maxsize=4096)
def columns_in(condition: str, engine: Engine) -> frozenset[str]:
    """The names that a condition speaks of which may be columns, lower case; of one that cannot be parsed every word."""
    tree = parsed(condition, engine)
    if tree is None:
        return frozenset(token.name.lower() for token in tokens(condition) if token.kind in ("word", "name"))
    return frozenset(column.name.lower() for column in tree.find_all(exp.Column)) | _string_names(tree, engine)


def joined_by_and(condition: str, engine: Engine) -> tuple[exp.Expression, ...]:
    """The parts of a condition that AND joins; none of one that cannot be parsed."""
    tree = parsed(condition, engine)
    return () if tree is None else tuple(_joined(tree, exp.And))


def may_be_null(node: exp.Expression, column: str) -> bool:
    """Whether an expression can come to NULL because ``column`` is NULL; where that cannot be seen, it may."""
    node = _bare(node)
    if isinstance(node, exp.Column):
        return node.name.lower() == column.lower()
    if isinstance(node, exp.Is | exp.NullSafeEQ | exp.NullSafeNEQ):
        return False
    parts = [one for one in node.iter_expressions() if isinstance(one, exp.Expression)]
    if isinstance(node, exp.Coalesce):
        return all(may_be_null(part, column) for part in parts)
    return any(may_be_null(part, column) for part in parts)


@lru_cache(maxsize=4096)
def given_by(condition: str, engine: Engine) -> frozenset[str]:
    """The columns, lower case, that cannot be NULL where a condition is true: all that AND joins compares them with something."""
    tree = parsed(condition, engine)
    if tree is None:
        return frozenset()
    strict = [part for part in _joined(tree, exp.And) if isinstance(part, _COMPARISONS) or _says_given(part)]
    return frozenset(column.name.lower() for part in strict for column in _compared(part))


def _says_given(part: exp.Expression) -> bool:
    """``x IS NOT NULL``, in either form."""
    denied = _bare(part.this) if isinstance(part, exp.Not) else part
    is_null = isinstance(denied, exp.Is) and isinstance(denied.expression, exp.Null)
    return is_null and isinstance(part, exp.Not) != bool(denied.args.get("negate"))


def _compared(part: exp.Expression) -> list[exp.Column]:
    """The columns that stand by themselves on a side: what a function makes of NULL is not known."""
    inner = _bare(part.this) if isinstance(part, exp.Not) else part
    sides = (_bare(side) for side in (inner.this, inner.expression) if isinstance(side, exp.Expression))
    return [side for side in sides if isinstance(side, exp.Column)]


def parsed(condition: str, engine: Engine) -> exp.Expression | None:
    """The tree of a condition, ``None`` where it cannot be parsed."""
    logging.getLogger("sqlglot").addHandler(_SILENT)
    try:
        tree = sqlglot.parse_one(condition, read=_DIALECTS.get(engine, engine.value))
    except (SqlglotError, RecursionError):
        return None
    return tree if isinstance(tree, exp.Expression) else None


def _string_names(tree: exp.Expression, engine: Engine) -> frozenset[str]:
    """SQLite takes a text in double quotes for a column where there is one, which is how sqlglot reads it too."""
    return frozenset(name.name.lower() for name in tree.find_all(exp.Identifier)) if engine is Engine.SQLITE else frozenset()


def _joined(node: exp.Expression, kind: type[exp.Connector]) -> Iterator[exp.Expression]:
    """What AND (or OR) joins, through parentheses; BETWEEN is two comparisons."""
    node = _bare(node)
    if isinstance(node, kind):
        yield from _joined(node.this, kind)
        yield from _joined(node.expression, kind)
    elif isinstance(node, exp.Between) and kind is exp.And:
        yield exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        yield exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
    else:
        yield node


def _bare(node: exp.Expression) -> exp.Expression:
    """Without parentheses, and without a cast of a column, a literal or a list of them to text, which changes no comparison."""
    while True:
        cast = isinstance(node, exp.Cast) and _is_text(node.to) and _is_plain(node.this)
        if not cast and not isinstance(node, exp.Paren):
            return node
        node = node.this


def _is_text(kind: exp.Expression) -> bool:
    """``text`` and ``varchar`` without a length, and arrays of them."""
    if not isinstance(kind, exp.DataType):
        return False
    if kind.this is exp.DataType.Type.ARRAY:
        return all(_is_text(element) for element in kind.expressions)
    return kind.this in _TEXTS and not kind.expressions


def _is_plain(node: exp.Expression) -> bool:
    inner = _bare(node)
    return isinstance(inner, exp.Column | exp.Array) or (isinstance(inner, exp.Literal) and inner.is_string)


def _form(node: exp.Expression, engine: Engine) -> str:
    """One text for everything that is known to mean the same."""
    node = _bare(node)
    if isinstance(node, exp.And | exp.Between | exp.Or):
        kind = exp.Or if isinstance(node, exp.Or) else exp.And
        return f"{kind.__name__}({', '.join(sorted({_form(part, engine) for part in _joined(node, kind)}))})"
    if isinstance(node, exp.Not):
        return _denied(_bare(node.this), engine)
    if isinstance(node, exp.EQ | exp.NEQ | exp.In):
        return _equality(node, engine)
    if type(node) in _TURNED:
        return f"({_form(node.expression, engine)} {_TURNED[type(node)]} {_form(node.this, engine)})"
    if type(node) in _STRAIGHT:
        return f"({_form(node.this, engine)} {_STRAIGHT[type(node)]} {_form(node.expression, engine)})"
    if isinstance(node, exp.Add | exp.Sub):
        return f"sum({', '.join(sorted(_terms(node, engine)))})"
    if isinstance(node, exp.Mul):
        return f"product({', '.join(sorted(_factors(node, engine)))})"
    if isinstance(node, exp.Column | exp.Identifier):
        return _name(node, engine)
    return _plainly(node, engine)


def _denied(inner: exp.Expression, engine: Engine) -> str:
    if type(inner) in _DENIED:
        return _form(_DENIED[type(inner)](this=inner.this.copy(), expression=inner.expression.copy()), engine)
    if isinstance(inner, exp.Not):
        return _form(inner.this, engine)
    if isinstance(inner, exp.Is):
        return _form(
            exp.Is(this=inner.this.copy(), expression=inner.expression.copy(), negate=not inner.args.get("negate")), engine
        )
    return f"not {_form(inner, engine)}"


def _equality(node: exp.Expression, engine: Engine) -> str:
    """``=``, ``<>``, IN, ``= ANY (ARRAY[…])`` and ``<> ALL (ARRAY[…])``: a value is one of several, or none of them."""
    if isinstance(node, exp.In):
        if not node.expressions or node.args.get("query"):
            return _plainly(node, engine)
        return _one_of(node.this, node.expressions, engine)
    listed = _listed(node)
    if listed is not None:
        said = _one_of(node.this, listed, engine)
        return said if isinstance(node, exp.EQ) else f"not {said}"
    sides = sorted((_form(node.this, engine), _form(node.expression, engine)))
    return f"({' = '.join(sides)})" if isinstance(node, exp.EQ) else f"not ({' = '.join(sides)})"


def _listed(node: exp.Expression) -> list[exp.Expression] | None:
    """The values of ``= ANY (ARRAY[…])`` and of ``<> ALL (ARRAY[…])``."""
    other = _bare(node.expression)
    if isinstance(node, exp.EQ) and isinstance(other, exp.Any):
        array = _bare(other.this)
    elif isinstance(node, exp.NEQ) and isinstance(other, exp.Anonymous) and other.name.upper() == "ALL" and other.expressions:
        array = _bare(other.expressions[0])
    else:
        return None
    return list(array.expressions) if isinstance(array, exp.Array) else None


def _one_of(value: exp.Expression, listed: list[exp.Expression], engine: Engine) -> str:
    forms = sorted({_form(one, engine) for one in listed})
    if len(forms) == 1:
        return f"({' = '.join(sorted((_form(value, engine), forms[0])))})"
    return f"{_form(value, engine)} in ({', '.join(forms)})"


def _terms(node: exp.Expression, engine: Engine, sign: str = "+") -> Iterator[str]:
    """What is added up, and what is taken away."""
    node = _bare(node)
    if isinstance(node, exp.Add | exp.Sub):
        other = sign if isinstance(node, exp.Add) else {"+": "-", "-": "+"}[sign]
        yield from _terms(node.this, engine, sign)
        yield from _terms(node.expression, engine, other)
    else:
        yield sign + _form(node, engine)


def _factors(node: exp.Expression, engine: Engine) -> Iterator[str]:
    node = _bare(node)
    if isinstance(node, exp.Mul):
        yield from _factors(node.this, engine)
        yield from _factors(node.expression, engine)
    else:
        yield _form(node, engine)


def _name(node: exp.Expression, engine: Engine) -> str:
    """A column by its name, as the engine takes it: without regard to case where it has none or is not quoted."""
    identifier = node if isinstance(node, exp.Identifier) else node.this
    quoted = isinstance(identifier, exp.Identifier) and identifier.args.get("quoted") and engine is Engine.POSTGRESQL
    return f'"{node.name if quoted else node.name.lower()}"'


def _plainly(node: exp.Expression, engine: Engine) -> str:
    """Everything else: what it is called, and what it is made of, in order."""
    parts = [f"{key}={_value(value, engine)}" for key, value in sorted(node.args.items()) if value not in (None, False, [])]
    return f"{type(node).__name__}({', '.join(parts)})"


def _value(value: object, engine: Engine) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(one, engine) for one in value)}]"
    return _form(value, engine) if isinstance(value, exp.Expression) else repr(value)
