"""Two GraphQL schemas, and a client's documents against them: what breaks, what ends."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from graphql import (
    BreakingChange,
    BreakingChangeType,
    DangerousChange,
    DangerousChangeType,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    build_client_schema,
    find_breaking_changes,
    find_dangerous_changes,
    get_variable_values,
    validate,
)

from blocks.contracts.documents import Documents, Element, objects_sent, operation_of, used_of
from domain.contracts.findings import Found, Kind
from domain.contracts.prose import MOST_WORDS, endings, first_date
from domain.contracts.surface import Surface
from domain.errors import BadInput

TOLD = 5
Change = BreakingChange | DangerousChange
_PLACE = re.compile(r"@?\w+\.\w+(?:\(\w+:\))?|@\w+(?:\(\w+:\))?")
_MANDATORY = re.compile(r"\b(?:is|are) mandatory\b", re.IGNORECASE)
_DIRECTIVE = re.compile(r"\brequired\b[^.]*`@(\w+)` directive", re.IGNORECASE)
_OWNED = (BreakingChangeType.REQUIRED_INPUT_FIELD_ADDED, BreakingChangeType.REQUIRED_ARG_ADDED)


def findings(
    before: GraphQLSchema | None, after: GraphQLSchema, documents: Documents, surface: Surface
) -> tuple[Found, ...]:
    """What the way from one schema to the other means for documents, and what ends.

    The first time there is nothing to compare with: then the documents are checked alone.
    """
    changed = _changes(before, after, documents, surface) if before else ()
    return (*changed, *_failures(after, documents), *_endings(after, documents, surface))


def schema_of(introspection: Any) -> GraphQLSchema:
    """From the answer to an introspection query; BadInput when it is none."""
    try:
        return build_client_schema(introspection.get("data", introspection), assume_valid=True)
    except (TypeError, LookupError, AttributeError, GraphQLError) as error:
        raise BadInput(f"the specification is no introspection of GraphQL: {error}") from error


def _changes(
    before: GraphQLSchema, after: GraphQLSchema, documents: Documents, surface: Surface
) -> Iterator[Found]:
    """Changes of what is used one by one, the others by their kind."""
    used = {*used_of(before, documents), *_values(surface)}
    rest: dict[str, list[str]] = {}
    changes: list[Change] = [*find_breaking_changes(before, after)]
    changes += find_dangerous_changes(before, after)
    for change in changes:
        kind = _kind(change, used, surface)
        if kind == "information":
            title = change.type.name.lower().replace("_", " ")
            rest.setdefault(title, []).append(_place(change))
        else:
            yield Found(kind, _place(change), change.description)
    for title, places in rest.items():
        more = f" and {len(places) - TOLD} more" if len(places) > TOLD else ""
        yield Found("information", title, ", ".join(places[:TOLD]) + more)


def _kind(change: Change, used: Collection[str], surface: Surface) -> Kind:
    place = _place(change)
    owner = re.split(r"\(|\.", place)[0] if "(" not in place else place.partition("(")[0]
    if isinstance(change, BreakingChange):
        touched = place in used or (change.type in _OWNED and owner in used)
        return "breaking" if touched else "information"
    unknown = change.type is DangerousChangeType.VALUE_ADDED_TO_ENUM and owner in surface.values
    return "warning" if place in used or unknown else "information"


def _place(change: Change) -> str:
    """The coordinate that a change is about, by its description."""
    found = _PLACE.search(change.description)
    return found.group() if found else change.description.split()[0]


def _values(surface: Surface) -> Iterator[str]:
    return (f"{enum}.{value}" for enum, values in surface.values.items() for value in values)


def _failures(schema: GraphQLSchema, documents: Documents) -> Iterator[Found]:
    """Documents and variables that the schema refuses, in types or in words."""
    for name, document, sample in documents.parsed():
        subject = f"document {name}"
        for error in (*validate(schema, document), *_refused(schema, document, sample)):
            yield Found("breaking", subject, error.message[:MOST_WORDS])
        for path in _lacking(schema, document, sample):
            yield Found("breaking", subject, f"variable {path} is not sent and is mandatory")
        for field, directive in _undirected(schema, document):
            yield Found("breaking", subject, f"{field} is not sent with @{directive}: required")


def _refused(schema: GraphQLSchema, document: Any, sample: Mapping[str, Any]) -> list[GraphQLError]:
    """Why sample variables do not fit, though their document may."""
    definitions = operation_of(document).variable_definitions or ()
    answer = get_variable_values(schema, definitions, dict(sample))
    return answer if isinstance(answer, list) else []


def _lacking(schema: GraphQLSchema, document: Any, sample: Mapping[str, Any]) -> Iterator[str]:
    """Input fields that only their description says must be sent, be it as null."""
    for sent in objects_sent(schema, document, sample):
        for name, field in sent.type.fields.items():
            if name not in sent.names and _MANDATORY.search(field.description or ""):
                yield f"{sent.path}.{name}"


def _undirected(schema: GraphQLSchema, document: Any) -> Iterator[tuple[str, str]]:
    """Fields of the root whose description demands a directive that they are sent without."""
    operation = operation_of(document)
    root = schema.get_root_type(operation.operation)
    for node in operation.selection_set.selections:
        if root is None or not isinstance(node, FieldNode):
            continue
        definition = root.fields.get(node.name.value)
        given = {one.name.value for one in node.directives or ()}
        for directive in _DIRECTIVE.findall(definition.description or "" if definition else ""):
            if directive not in given:
                yield node.name.value, directive


def _endings(schema: GraphQLSchema, documents: Documents, surface: Surface) -> Iterator[Found]:
    """What is deprecated of what is used, by flag and by word, and what ends by the rules."""
    for element in used_of(schema, documents).values():
        yield from _ending(element)
    for end in surface.ends:
        yield Found("deprecation", end.subject, end.detail, end.on)


def _ending(element: Element) -> Iterator[Found]:
    reason = " ".join(element.deprecation.split())[:MOST_WORDS]
    if reason:
        on = first_date(element.deprecation)
        yield Found("deprecation", element.coordinate, f"is deprecated: {reason}", on)
    dated = (one for one in endings(element.description) if one.on)
    for ending in dated:  # a flag says what is deprecated; words are needed for dates only
        yield Found("deprecation", element.coordinate, ending.sentence, ending.on)
