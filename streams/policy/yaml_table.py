"""Reads a policy in YAML, and rejects YAML features that TOML would reject as well."""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Rejects aliases, which can make a small file huge or endless, duplicate names, and halves of surrogate pairs."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"line {self.line + 1}: aliases (*name) are not taken")
        return super().compose_node(parent, index)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str) and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: {value!a} is half a surrogate pair")
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found: set[str] = set()
        for key, _ in node.value:
            name = repr(self.construct_object(key, deep=True))
            if name in found:
                raise yaml.YAMLError(f"line {key.start_mark.line + 1}: {name} is given twice")
            found.add(name)
        return super().construct_mapping(node, deep)


def read(text: str) -> Any:
    """The content of the document. Raises ValueError with a one-line text."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - made of the safe one
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except (AttributeError, KeyError, TypeError):
        # The library's own readers of tagged values: `!!timestamp foo`, `!!bool 5`.
        raise ValueError("a value is not of the type that its tag (!!name) says") from None
