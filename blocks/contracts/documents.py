"""A client's GraphQL documents with sample variables, and everything of a schema they use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    ObjectFieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_enum_type,
    parse,
    type_from_ast,
    visit,
)


@dataclass(frozen=True)
class Documents:
    """Documents by name, and for each of them variables as the client sends them."""

    documents: Mapping[str, str]
    samples: Mapping[str, Mapping[str, Any]]

    def parsed(self) -> Iterator[tuple[str, DocumentNode, Mapping[str, Any]]]:
        for name, text in self.documents.items():
            yield name, parse(text), self.samples.get(name, {})


@dataclass(frozen=True)
class Element:
    """A part of a schema: its coordinate, such as ``Order.name``, and what is said of it."""

    coordinate: str
    description: str
    deprecation: str


@dataclass(frozen=True)
class Sent:
    """An input object as a sample has it, with the path it is at and its type."""

    path: str
    type: GraphQLInputObjectType
    names: tuple[str, ...]


def used_of(schema: GraphQLSchema, documents: Documents) -> dict[str, Element]:
    """Types, fields, arguments, input fields, values and directives in use, by coordinate."""
    found = _Used()
    for _, document, sample in documents.parsed():
        info = TypeInfo(schema)
        visit(document, TypeInfoVisitor(info, _Walk(info, found)))
        for sent in objects_sent(schema, document, sample):
            found.add(sent.type.name, sent.type)
            for name in sent.names:
                found.add(f"{sent.type.name}.{name}", sent.type.fields.get(name))
    return found.elements


def objects_sent(
    schema: GraphQLSchema, document: DocumentNode, sample: Mapping[str, Any]
) -> Iterator[Sent]:
    """Every input object among the variables of a document."""
    for definition in operation_of(document).variable_definitions or ():
        name = definition.variable.name.value
        kind = type_from_ast(schema, definition.type)
        if kind is not None and name in sample:
            yield from _objects(name, kind, sample[name])


def operation_of(document: DocumentNode) -> OperationDefinitionNode:
    """The one operation of a document."""
    (found,) = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    return found


def _objects(path: str, kind: Any, value: Any) -> Iterator[Sent]:
    if isinstance(kind, GraphQLNonNull):
        yield from _objects(path, kind.of_type, value)
    elif isinstance(kind, GraphQLList) and isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _objects(f"{path}[{number}]", kind.of_type, one)
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, Mapping):
        yield Sent(path, kind, tuple(value))
        for name, inner in value.items():
            if name in kind.fields:
                yield from _objects(f"{path}.{name}", kind.fields[name].type, inner)


class _Used:
    """Coordinates with what is said of them."""

    def __init__(self) -> None:
        self.elements: dict[str, Element] = {}

    def add(self, coordinate: str, said: Any) -> None:
        self.elements[coordinate] = Element(
            coordinate,
            getattr(said, "description", None) or "",
            getattr(said, "deprecation_reason", None) or "",
        )

    def type(self, kind: Any) -> None:
        named: GraphQLNamedType | None = get_named_type(kind) if kind else None
        if named is not None:
            self.add(named.name, named)


class _Walk(Visitor):
    """One document, with the schema's view of where it is."""

    def __init__(self, info: TypeInfo, used: _Used) -> None:
        super().__init__()
        self._info = info
        self._used = used

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        owner, definition = self._info.get_parent_type(), self._info.get_field_def()
        if owner is None or definition is None:
            return
        field = f"{owner.name}.{node.name.value}"
        self._used.type(owner)
        self._used.add(field, definition)
        self._used.type(definition.type)
        for argument in node.arguments or ():
            said = definition.args.get(argument.name.value)
            self._used.add(f"{field}({argument.name.value}:)", said)
            self._used.type(said.type if said else None)

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        kind = get_named_type(self._info.get_parent_input_type())
        if isinstance(kind, GraphQLInputObjectType):
            said = kind.fields.get(node.name.value)
            self._used.type(kind)
            self._used.add(f"{kind.name}.{node.name.value}", said)

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        kind = get_named_type(self._info.get_input_type())
        if is_enum_type(kind):
            self._used.add(f"{kind.name}.{node.value}", kind.values.get(node.value))

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self._used.add(f"@{node.name.value}", self._info.get_directive())
