"""YAML text to plain values and the line of every key.

Narrower than PyYAML's loader on purpose: scalars follow YAML 1.2 (``0144`` is not octal, ``1:30`` is not 90,
``no`` is a word, ``1e-1`` is a number), a repeated key is a problem, and size and depth are bounded before
anything is built, so that aliases within aliases cannot fill the memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from picoram_layout.spec.problem import Problem, SpecError

MAX_BYTES = 65_536
MAX_NODES = 1_000
MAX_DEPTH = 16

_CORE_TAGS = set("str int float bool null map seq timestamp merge value".split())
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
    **dict.fromkeys([".inf", "+.inf", ".Inf", "+.Inf", ".INF", "+.INF"], float("inf")),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], float("-inf")),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], float("nan")),
}


@dataclass
class Document:
    """A file's mapping, the line of each dotted key, and what was wrong with the YAML itself."""

    data: dict[str, Any]
    lines: dict[str, int]
    problems: list[Problem] = field(default_factory=list)


def read_document(path: Path) -> Document:
    """Read a YAML mapping; `SpecError` with one line where the file as a whole cannot be used."""
    text = _read_text(path)
    try:
        _bounded(path, text)
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = ", ".join(part for part in (error.context, error.problem) if part)
        raise _refused(path, f"not valid YAML: {why}", mark.line + 1 if mark else 0) from None
    except yaml.YAMLError as error:
        raise _refused(path, f"not a YAML text: {str(error).splitlines()[0]}") from None
    if root is None or _is_null(root):
        raise _refused(path, "is empty")
    if not isinstance(root, yaml.MappingNode):
        kind = "a list" if isinstance(root, yaml.SequenceNode) else "a single value"
        raise _refused(path, f"must be a mapping with the keys of a spec, not {kind}", _line(root))
    document = Document({}, {"": _line(root)})
    document.data = _Walk(path, document).value(root, ())
    return document


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise _refused(path, "is a folder, not a spec file") from None
    except FileNotFoundError:
        raise _refused(path, "no such file") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _refused(path, f"cannot be read: {reason}") from None
    if len(raw) > MAX_BYTES:
        raise _refused(path, f"is larger than {MAX_BYTES // 1024} KiB: not a spec")
    if not raw.strip():
        raise _refused(path, "is empty")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(path, f"is not UTF-8 text (byte {error.start} is 0x{raw[error.start]:02x})") from None
    if "\0" in text:
        raise _refused(path, "is a binary file, not a YAML text")
    return text


def _bounded(path: Path, text: str) -> None:
    """Count events and depth without building anything (composing recurses, parsing does not)."""
    depth = count = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        count += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _refused(path, f"is nested deeper than {MAX_DEPTH} levels", _line(event))
        if count > MAX_NODES:
            raise _too_many(path, _line(event))


def _line(item: Any) -> int:
    return int(item.start_mark.line) + 1


def _refused(path: Path, why: str, line: int = 0) -> SpecError:
    return SpecError(str(path), [Problem("", None, why, line=line)])


def _too_many(path: Path, line: int) -> SpecError:
    return _refused(
        path, f"holds more than {MAX_NODES} values (aliases counted at each use): not a spec", line
    )


class _Walk:
    """Nodes to values; every use of an alias counts, so a nest of aliases is cut off early."""

    def __init__(self, path: Path, document: Document):
        self.path, self.document, self.count = path, document, 0

    def value(self, node: yaml.Node, at: tuple[str, ...]) -> Any:
        line = _line(node)
        self.count += 1
        if self.count > MAX_NODES:
            raise _too_many(self.path, line)
        if len(at) > MAX_DEPTH:
            raise _refused(self.path, "holds an alias of itself", line)
        tag = node.tag.removeprefix("tag:yaml.org,2002:")
        if tag not in _CORE_TAGS:
            self.problem(at, node, f"the YAML tag {tag} is not supported")
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*at, str(i))) for i, item in enumerate(node.value)]
        return _scalar(node)

    def mapping(self, node: yaml.MappingNode, at: tuple[str, ...]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.problem(at, key_node, "a key must be a word, not a list or a mapping")
                continue
            key = key_node.value
            if not key:
                self.problem(at, key_node, "a key is empty")
                continue
            path = (*at, key)
            if key in result:
                first = self.document.lines[".".join(path)]
                self.problem(path, key_node, f"the key is given twice (first on line {first})")
                continue
            self.document.lines[".".join(path)] = _line(key_node)
            result[key] = self.value(value_node, path)
        return result

    def problem(self, at: tuple[str, ...], node: yaml.Node, why: str) -> None:
        self.document.problems.append(Problem(".".join(at), None, why, line=_line(node)))


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and _scalar(node) is None


def _scalar(node: Any) -> Any:
    return node.value if node.style is not None else scalar(node.value)


def scalar(text: str) -> Any:
    """The value of a plain scalar: number, truth value, null or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    try:
        if _INTEGER.match(text):
            return int(text)
        if _FLOAT.match(text) and not re.match(r"[-+]?0[0-9]", text):
            return float(text)
    except ValueError:  # more digits than Python converts
        pass
    return text
