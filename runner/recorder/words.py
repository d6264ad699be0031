"""A statement as words, by sqlglot's tokenizer: white space, comments and the case of keywords fall away."""

from __future__ import annotations

_STRINGS = frozenset({"STRING", "HEREDOC_STRING", "UNICODE_STRING", "BYTE_STRING", "BIT_STRING", "HEX_STRING", "NATIONAL_STRING"})


def words(statement: str) -> tuple[str, ...]:
    """The words of one statement; none where the tokenizer cannot read it.

    Keywords and bare names are in lower case, as PostgreSQL reads them; quoted names and strings keep their letters and
    begin with a quote, so that they are never taken for keywords.
    """
    from sqlglot import tokenize
    from sqlglot.errors import TokenError

    try:
        tokens = tokenize(statement, read="postgres")
    except TokenError:
        return ()
    return tuple(_word(token.token_type.name, token.text) for token in tokens)


def _word(kind: str, text: str) -> str:
    if kind == "IDENTIFIER":
        return f'"{text}'
    return f"'{text}" if kind in _STRINGS else text.lower()
