"""What documents have in common, as a schema."""

from __future__ import annotations

from typing import Any

from bson import Int64, ObjectId
from hypothesis import given
from hypothesis import strategies as st

from runner.inferring.schemas import notes_of, schema_of
from runner.inferring.shapes import DEPTH, FIELDS, TEXTS, Shape, type_of


def shape_of(*values: Any) -> Shape:
    shape = Shape()
    for value in values:
        shape.add(value)
    return shape


def test_types_are_called_as_the_server_calls_them() -> None:
    values: tuple[Any, ...] = (True, 1, Int64(1), 1.0, "a", None, [], {}, ObjectId(), b"x")
    assert [type_of(one) for one in values] == [
        "bool", "int", "long", "double", "string", "null", "array", "object", "objectId", "binData",
    ]  # fmt: skip


def test_what_every_document_has_is_required_and_of_the_types_that_were_seen() -> None:
    schema = schema_of(shape_of({"a": 1, "b": {"c": "x"}}, {"a": 2.5, "b": {}, "d": None}))
    assert schema == {
        "bsonType": "object",
        "required": ["a", "b"],
        "properties": {
            "a": {"bsonType": ["double", "int"]},
            "b": {"bsonType": "object", "properties": {"c": {"bsonType": "string"}}},
            "d": {"bsonType": "null"},
        },
    }


def test_elements_of_arrays_are_described_and_those_of_empty_ones_are_not() -> None:
    assert schema_of(shape_of([{"n": 1}, {"n": 2, "m": 3}])) == {
        "bsonType": "array",
        "items": {
            "bsonType": "object",
            "required": ["n"],
            "properties": {"n": {"bsonType": "int"}, "m": {"bsonType": "int"}},
        },
    }
    assert schema_of(shape_of([])) == {"bsonType": "array"}


def test_few_texts_that_recur_are_a_guess_at_a_list_and_said_to_be_one() -> None:
    shape = shape_of(*[{"status": "active"}] * 9, *[{"status": "closed"}] * 5)
    assert schema_of(shape)["properties"]["status"] == {"bsonType": "string", "enum": ["active", "closed"]}
    assert list(notes_of(shape)) == [("status", "a guess: 2 texts in 14 values")]
    rare = shape_of(*[{"status": "active"}] * 9, *[{"status": "closed"}] * 4)
    assert "enum" not in schema_of(rare)["properties"]["status"]
    many = shape_of(*({"name": f"name {number % (TEXTS + 1)}"} for number in range(1_000)))
    assert schema_of(many)["properties"]["name"] == {"bsonType": "string"}


def test_an_object_with_ever_new_fields_is_a_map() -> None:
    shape = shape_of(*({"by_day": {f"day {number}": 1}} for number in range(FIELDS + 1)))
    assert schema_of(shape)["properties"]["by_day"] == {"bsonType": "object"}
    assert shape.fields["by_day"].fields == {}
    assert list(notes_of(shape)) == [("by_day", "its fields look like keys of a map: they are not listed")]


def test_names_that_a_schema_does_not_reach_are_left_out_and_said() -> None:
    shape = shape_of({"a.b": 1, "$c": 2, "": 3, "d": 4})
    assert schema_of(shape) == {"bsonType": "object", "required": ["d"], "properties": {"d": {"bsonType": "int"}}}
    assert [name for name, _ in notes_of(shape)] == ["a.b", "$c", ""]


def test_several_types_are_worth_a_look() -> None:
    assert list(notes_of(shape_of({"price": 1}, {"price": "1"}, {"price": None}))) == [("price", "1 int, 1 string")]


def test_depth_is_bounded() -> None:
    deep: dict[str, Any] = {}
    for _ in range(10 * DEPTH):
        deep = {"in": deep}
    schema = schema_of(shape_of(deep))
    for _ in range(DEPTH):
        schema = schema["properties"]["in"]
    assert schema == {"bsonType": "object"}


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=3), DOCUMENTS, max_size=4), min_size=1, max_size=6))
def test_any_documents_have_a_schema_and_the_order_of_reading_means_nothing(documents: list[dict[str, Any]]) -> None:
    def sorted_properties(schema: Any) -> Any:
        if isinstance(schema, dict):
            return {key: sorted_properties(schema[key]) for key in sorted(schema)}
        return schema

    assert sorted_properties(schema_of(shape_of(*documents))) == sorted_properties(schema_of(shape_of(*reversed(documents))))
