"""Plans as set-based statements: every row is made in the server from its number and the seed. What engines have in common.

A statement is layers of subqueries: values that need no other row, then one layer a reference, then what is computed, then the
conditions. Chance is a hash of the row's number, so the same seed gives the same rows, in whatever order the server works.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from checks.rows.sets.language import NUMBER, Keys, Language, MadeKeys, Statement, Writing
from checks.rows.sets.plan import Computed, Mended, Numbered, Pooled, Referred, TablePlan, columns_of_source
from checks.rows.terms import Condition
from checks.schema.model import Column, Table
from checks.schema.names import TableName

#: The rows that have certain values: of more rows they have enough, and arithmetic in each row is dear.
_FIRST = 500
#: Prime numbers by which rows are counted: none of them divides what they are counted modulo (53 at most).
_STRIDES = (59, 61, 67, 71, 73, 79)
#: Whether a row meets the conditions that rows are mended by.
HOLDS = "dbproof_holds"


def suited(referred: Referred, child: TableName, conditions: Sequence[Condition], language: Language) -> str:
    """Which parents (``parent``) the rules of the child take, as far as they speak of nothing but what is taken from them."""
    taken = referred.taken
    own = [one for one in conditions if one.columns and {*one.columns} <= taken.keys() and not one.computed]
    if not own:
        return ""
    listed = ", ".join(f"parent.{language.quoted(theirs)} AS {language.quoted(mine)}" for mine, theirs in taken.items())
    return f"EXISTS (SELECT 1 FROM (SELECT {listed}) AS {language.quoted(child.name)}{where(own, language)})"


def listed_keys(
    language: Language, parent: str, columns: Sequence[str], shared: Sequence[str], suiting: str = "", *, ordered: bool = False
) -> str:
    """A query that numbers the keys of a parent (as it is read FROM), within each value of the ``shared`` columns.

    ``suiting`` says which of them, ``ordered`` by themselves, where the server reads rows in whatever order is cheapest today.
    """
    names = ", ".join(map(language.quoted, dict.fromkeys((*columns, *shared))))
    given = " AND ".join(f"{language.quoted(column)} IS NOT NULL" for column in dict.fromkeys((*columns, *shared)))
    within = f"PARTITION BY {', '.join(map(language.quoted, shared))}" if shared else ""
    order = f" ORDER BY {names}" if ordered else ""
    return (
        f"SELECT row_number() OVER ({within}{order}) AS dbproof_k, count(*) OVER ({within}) AS dbproof_of, {names}"
        f" FROM {parent} AS parent WHERE {given}{f' AND {suiting}' if suiting else ''}"
    )


def filled_columns(plan: TablePlan) -> list[str]:
    """The columns that are inserted, in the table's order."""
    known = {name for source in plan.sources for name in columns_of_source(source)}
    return [column.name for column in plan.table.columns if column.name in known]


def trying(language: Language, plan: TablePlan, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Statement:
    """Counts how many of the rows with these numbers meet all conditions, then how many meet each."""
    writing = Writing(language, plan.table, seed)
    source = made(plan, numbers, keys, writing)
    met = [met_by(condition, language) for condition in plan.conditions]
    counts = (f"count(CASE WHEN {truth} THEN 1 END)" for truth in (" AND ".join(met) or "1 = 1", *met))
    return Statement(f"SELECT {', '.join(counts)} FROM {source}", writing.values)


def chosen(plan: TablePlan, rows: int, numbers: range, keys: Mapping[Referred, Keys], writing: Writing) -> str:
    """A query of at most so many of the rows with these numbers, as far as they meet the conditions."""
    names = ", ".join(map(writing.language.quoted, filled_columns(plan)))
    source = f"{made(plan, numbers, keys, writing)}{where(plan.conditions, writing.language)}"
    joins = not writing.language.keeps_order and any(isinstance(one, Referred) and keys[one].made is None for one in plan.sources)
    order = f" ORDER BY {NUMBER}" if joins else ""  # a join gives rows in an order of its own
    limit = f" LIMIT {rows}" if rows < len(numbers) else ""
    return f"SELECT {names} FROM {source}{order}{limit}"


def apart(plan: TablePlan, numbers: range) -> Sequence[range]:
    """These numbers, those apart whose rows have certain values, which are dearer to make."""
    certain = any(isinstance(one, Pooled) and one.certain for one in plan.sources)
    if not certain or not numbers.start <= _FIRST < numbers.stop - 1:
        return [numbers]
    return [range(numbers.start, _FIRST + 1), range(_FIRST + 1, numbers.stop)]


def made(plan: TablePlan, numbers: range, keys: Mapping[Referred, Keys], writing: Writing) -> str:
    """The rows before the conditions are asked, under the table's own name, as the conditions know it."""
    language, alias = writing.language, writing.alias
    writing.certain = numbers.start <= _FIRST
    free = [source for source in plan.sources if isinstance(source, Numbered | Pooled)]
    first = [part for source in free for part in _free(source, plan.table, writing)]
    layer = f"(SELECT {', '.join((*language.kept, *first))} FROM {language.numbers(numbers, writing.seed)})"
    for source in plan.sources:
        if isinstance(source, Referred):
            layer = _with_parent(layer, source, keys[source], writing)
    computed = _computed(plan, language)
    layer = _with_further(layer, computed, writing)
    layer = _mended(layer, plan, computed, writing) if plan.mended else layer
    for listed in _on_top(plan, set(filled_columns(plan)), language):
        layer = _with_further(layer, listed, writing)
    return f"{language.fenced(layer) if plan.conditions else layer} AS {alias}"


def _with_further(layer: str, listed: Sequence[tuple[str, str]], writing: Writing) -> str:
    """A layer with columns that expressions of those below give."""
    if not listed:
        return layer
    parts = (f"{expression} AS {writing.language.quoted(name)}" for name, expression in listed)
    return f"(SELECT {writing.alias}.*, {', '.join(parts)} FROM {layer} AS {writing.alias})"


def _mended(layer: str, plan: TablePlan, computed: Sequence[tuple[str, str]], writing: Writing) -> str:
    """A layer in which rows that break a condition have other values, and what is computed is computed of these."""
    language, alias = writing.language, writing.alias
    holds = tuple(f"{HOLDS}{number}" for number in range(len(plan.mended)))
    truths = (" AND ".join(met_by(one, language) for one in mended.conditions) for mended in plan.mended)
    judged = ", ".join(f"({truth}) AS {name}" for truth, name in zip(truths, holds, strict=True))
    layer = language.fenced(f"(SELECT {alias}.*, {judged} FROM {language.fenced(layer)} AS {alias})")
    others = {name: (held, mended) for held, mended in zip(holds, plan.mended, strict=True) for name in mended.source.columns}
    theirs = Writing(language, plan.table, writing.seed)
    changed = {name: (others[name][0], _other(name, others[name][1], theirs)) for name in filled_columns(plan) if name in others}
    writing.values[:0] = theirs.values  # they stand before the layer that they are put upon
    layer = f"(SELECT {_changed(plan, changed, (*language.kept, *holds), language)} FROM {layer} AS {alias})"
    again = {name: (" AND ".join(holds), expression) for name, expression in computed}
    return f"(SELECT {_changed(plan, again, language.kept, language)} FROM {layer} AS {alias})" if again else layer


def _other(name: str, mended: Mended, writing: Writing) -> str:
    """The value of a column in a row that breaks a condition."""
    source = mended.source
    place, what = source.columns.index(name), f"{','.join(source.columns)}!"
    return writing.language.picked(
        [row[place] for row in source.rows], writing.chance(what, len(source.rows)), writing.table.column[name], writing
    )


def _changed(plan: TablePlan, changed: Mapping[str, tuple[str, str]], kept: Sequence[str], language: Language) -> str:
    """The columns, of which some are what an expression gives unless something holds."""
    names = []
    for name in filled_columns(plan):
        quoted = language.quoted(name)
        holds, other = changed.get(name, ("", ""))
        names.append(f"CASE WHEN {holds} THEN {quoted} ELSE {other} END AS {quoted}" if other else quoted)
    return ", ".join((*kept, *names))


def _with_parent(layer: str, source: Referred, keys: Keys, writing: Writing) -> str:
    """A layer with the columns of a reference: worked out where the parent's key follows from its number, else joined."""
    language, what = writing.language, ",".join(source.columns)
    if keys.made is not None:
        (mine,) = source.columns
        given = writing.language.cast(
            _made_key(keys.made, _pick(source, keys, writing, what), writing), writing.table.column[mine]
        )
        if source.nulls:
            there = f" AND {NUMBER} <= {keys.rows}" if source.once else ""
            given = f"CASE WHEN {writing.chance(f'{what}?', 100)} >= {source.nulls}{there} THEN {given} END"
        return f"(SELECT base.*, {given} AS {language.quoted(mine)} FROM {layer} AS base)"
    taken = ", ".join(f"parent.{language.quoted(theirs)} AS {language.quoted(mine)}" for mine, theirs in source.taken.items())
    return f"(SELECT base.*, {taken} FROM {joined(layer, source, keys, writing, what)})"


def _made_key(made_keys: MadeKeys, pick: str, writing: Writing) -> str:
    """The key of the parent that has this number."""
    theirs, language = Writing(writing.language, made_keys.table, writing.seed), writing.language
    column = made_keys.table.column[made_keys.source.column]
    key = language.cast(language.numbered(made_keys.source.form, column, theirs).replace(NUMBER, f"({pick})"), column)
    writing.values[:0] = theirs.values  # it stands before the layer that it is read from
    return key


def _pick(referred: Referred, keys: Keys, writing: Writing, what: str) -> str:
    """The number of a row's parent, among all."""
    return NUMBER if referred.once else f"1 + {_skewed(writing, what, max(keys.rows, 1))}"


def _on_top(plan: TablePlan, known: Collection[str], language: Language) -> Iterator[list[tuple[str, str]]]:
    """Layers of columns that need those below: defaults (conditions may speak of them), generated ones."""
    lacking = [one for one in plan.table.columns if one.name not in known and not one.generated]
    layers = (
        [(one.name, language.cast(f"({language.plain(one.default or 'NULL')}\n)", one)) for one in lacking],
        *([(one.name, _formula(one, language)) for one in formulas] for formulas in _formulas(plan.table)),
    )
    yield from (layer for layer in layers if layer)


def _computed(plan: TablePlan, language: Language) -> list[tuple[str, str]]:
    column = plan.table.column
    computed = (source for source in plan.sources if isinstance(source, Computed))
    return [(one.column, language.cast(f"({language.plain(one.expression)}\n)", column[one.column])) for one in computed]


def _formula(column: Column, language: Language) -> str:
    return language.formula(f"({language.plain(column.default or 'NULL')}\n)", column)


def _formulas(table: Table) -> Iterator[list[Column]]:
    """Generated columns, those first that need no others."""
    left = [column for column in table.columns if column.generated]
    while left:
        ready = [one for one in left if not any(other.name in (one.default or "") for other in left if other is not one)]
        yield ready or left
        left = [one for one in left if one not in ready] if ready else []


def joined(layer: str, referred: Referred, keys: Keys, writing: Writing, what: str) -> str:
    """A layer (``base``) with a ``parent`` for each row."""
    language = writing.language
    if not referred.shared:
        pick = _pick(referred, keys, writing, what)
        if referred.nulls:
            pick = f"CASE WHEN {writing.chance(f'{what}?', 100)} >= {referred.nulls} THEN {pick} END"
        return f"{layer} AS base LEFT JOIN {language.quoted(keys.name)} AS parent ON parent.dbproof_k = {pick}"
    own, theirs = (_same(side, referred, language) for side in ("own", "parent"))
    pick = f"1 + {writing.chance(what, 'own.dbproof_of')}"
    if referred.nulls:
        pick = f"CASE WHEN {writing.chance(f'{what}?', 100)} >= {referred.nulls} THEN {pick} END"
    counted = f"SELECT DISTINCT dbproof_of, {', '.join(map(language.quoted, keys.shared))} FROM {language.quoted(keys.name)}"
    return (
        f"{layer} AS base LEFT JOIN ({counted}) AS own ON {own}"
        f" LEFT JOIN {language.quoted(keys.name)} AS parent ON {theirs} AND parent.dbproof_k = {pick}"
    )


def _same(side: str, referred: Referred, language: Language) -> str:
    pairs = referred.shared.items()
    return " AND ".join(f"{side}.{language.quoted(theirs)} = base.{language.quoted(mine)}" for mine, theirs in pairs)


def _skewed(writing: Writing, what: str, rows: int) -> str:
    """A number below ``rows``: the first ones come up far more often (each half as many take as much), all come up."""
    halvings = f"CAST({writing.chance(f'{what}/', rows.bit_length())} AS integer)"
    often = f"CASE WHEN {writing.chance(f'{what}:', 2)} = 0 THEN 0 ELSE {halvings} END"
    return writing.chance(what, f"({rows} >> ({often}))")


def _free(source: Numbered | Pooled, table: Table, writing: Writing) -> Iterator[str]:
    language = writing.language
    if isinstance(source, Numbered):
        column = table.column[source.column]
        yield f"{language.cast(language.numbered(source.form, column, writing), column)} AS {language.quoted(column.name)}"
        return
    for place, name in enumerate(source.columns):
        pick = _place(source, writing)
        value = language.picked([row[place] for row in source.rows], pick, table.column[name], writing)
        if source.nulls:
            value = f"CASE WHEN {writing.chance(f'{name}?', 100)} >= {source.nulls} THEN {value} END"
        if name in source.numbered:
            own = language.numbered(source.numbered[name], table.column[name], writing)
            value = f"CASE WHEN {value} IS NOT NULL THEN {language.cast(own, table.column[name])} END"
        yield f"{value} AS {language.quoted(name)}"


def _place(source: Pooled, writing: Writing) -> str:
    """Which of a list's values a row takes: by chance, but the certain ones come up in turn among the first rows as well.

    Rows are counted in strides, from another one for each column, so that two columns' certain values rarely stand together.
    """
    what = ",".join(source.columns)
    chance = writing.chance(what, len(source.rows))
    if not source.certain or not writing.certain:
        return chance
    salt, modulo = writing.salt(f"{what}!"), writing.language.modulo
    stride = _STRIDES[salt % len(_STRIDES)]
    turn = f"(({NUMBER} * {stride} + {salt % 1000}) {modulo} {4 * source.certain + 1 + salt % 4})"
    return f"(CASE WHEN {NUMBER} <= {_FIRST} AND {turn} < {source.certain} THEN {turn} ELSE {chance} END)"


def where(conditions: Sequence[Condition], language: Language) -> str:
    """What leaves out rows that do not meet the conditions."""
    return f" WHERE {' AND '.join(met_by(condition, language) for condition in conditions)}" if conditions else ""


def met_by(condition: Condition, language: Language) -> str:
    """Whether a row meets a condition: NULL passes a CHECK."""
    return f"(({language.plain(condition.expression)}\n) {'IS TRUE' if condition.strict else 'IS NOT FALSE'})"
