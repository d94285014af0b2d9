"""Signatures as they stand in the source: names, types and defaults in the words of whoever wrote them."""

import ast
import dataclasses
import inspect
import textwrap
from typing import Any

WIDE = 84


def signature(thing: Any, name: str, *, method: bool = False) -> str:
    """A call of `thing` with its types and defaults, on one line where it fits, else a line for each argument."""
    parts, gives = _parts(thing, method)
    parts, gives = [_quoted(part) for part in parts], _quoted(gives)
    line = f"{name}({', '.join(parts)}){gives}"
    if len(line) <= WIDE:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){gives}"])


def _quoted(text: str) -> str:
    return text if '"' in text else text.replace("'", '"')


def _parts(thing: Any, method: bool) -> tuple[list[str], str]:
    maker = thing
    if inspect.isclass(thing):
        # What a constructor gives is the class: nothing is said after it.
        written = _source(thing.__init__)
        if written is None:
            return (_fields(thing) if _has_fields(thing) else _inspected(thing)[0]), ""
        return _arguments(written, drop_first=True), ""
    written = _source(maker)
    if written is None:
        return _inspected(maker)
    gives = f" -> {ast.unparse(written.returns)}" if written.returns is not None else ""
    return _arguments(written, drop_first=method), gives


def _source(function: Any) -> ast.FunctionDef | None:
    """The definition of a function of this library, or None where it was made without one."""
    function = inspect.unwrap(function)
    if not str(getattr(function, "__module__", "")).startswith("ostinato"):
        return None
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    first = tree.body[0]
    return first if isinstance(first, ast.FunctionDef) else None


def _arguments(written: ast.FunctionDef, *, drop_first: bool) -> list[str]:
    given = written.args
    plain = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    parts = [_argument(arg, default) for arg, default in zip(plain, defaults, strict=True)]
    if given.posonlyargs:
        parts.insert(len(given.posonlyargs), "/")
    decorators = {getattr(d, "id", "") for d in written.decorator_list}
    if drop_first and parts and "staticmethod" not in decorators:
        parts = parts[1:]
    if given.vararg is not None:
        parts.append("*" + _argument(given.vararg, None))
    elif given.kwonlyargs:
        parts.append("*")
    parts += [_argument(arg, default) for arg, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    if given.kwarg is not None:
        parts.append("**" + _argument(given.kwarg, None))
    return parts


def _argument(arg: ast.arg, default: ast.expr | None) -> str:
    if arg.annotation is None:
        return arg.arg if default is None else f"{arg.arg}={ast.unparse(default)}"
    said = ast.unparse(arg.annotation).replace("' ", "'").strip("\"'")
    return f"{arg.arg}: {said}" if default is None else f"{arg.arg}: {said} = {ast.unparse(default)}"


def _has_fields(cls: type) -> bool:
    return dataclasses.is_dataclass(cls) or hasattr(cls, "_fields")


def _fields(cls: type) -> list[str]:
    """The fields of a record, with the types and defaults that its source gives them."""
    names = [f.name for f in dataclasses.fields(cls) if f.init] if dataclasses.is_dataclass(cls) else list(cls._fields)
    written: dict[str, ast.AnnAssign] = {}
    for base in reversed(cls.__mro__):
        if not str(base.__module__).startswith("ostinato"):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(tree, ast.ClassDef)
        found = [node for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
        written.update({node.target.id: node for node in found if isinstance(node.target, ast.Name)})
    return [_field(name, written.get(name)) for name in names]


def _field(name: str, written: ast.AnnAssign | None) -> str:
    if written is None:
        return name
    said = f"{name}: {ast.unparse(written.annotation)}"
    value = written.value
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("field"):
        given = {word.arg: word.value for word in value.keywords}
        value = given.get("default") or given.get("default_factory")
        if value is not None and "default_factory" in given:
            value = ast.Call(value, [], [])
    return said if value is None else f"{said} = {ast.unparse(value)}"


def _inspected(thing: Any) -> tuple[list[str], str]:
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return ["..."], ""
    return [str(parameter) for parameter in found.parameters.values()], ""
