"""What a function does, told by all that it follows from: its code, what it holds, and the code and data that it uses.

Two things that `describe` tells in the same way do the same. Code of the standard library and of installed packages
counts by its name alone: their versions are part of a run's key.
"""

import ast
import builtins
import dataclasses
import dis
import enum
import functools
import hashlib
import importlib.util
import inspect
import pickle
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch

from ..errors import InvalidInput

PACKAGE = Path(__file__).resolve().parents[1]
# They hold no code of their own that a number comes from, and lead everywhere: whoever asks them for a name depends on
# the file behind that name. A run's algorithm is named by its config.
HUBS = {PACKAGE / "__init__.py", PACKAGE / "algorithms" / "by_name.py"}
INSTALLED = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
PLAIN = (type(None), bool, int, float, complex, str, bytes, range, type(...), type(NotImplemented))
TOLD_BY_REPR = (torch.dtype, torch.device, torch.Size, np.dtype, np.generic, PurePath)
# Of a class: what Python writes there itself, and what says nothing about what it does.
NO_CODE = {
    "__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__", "__dataclass_fields__",
    "__dataclass_params__", "__dict__", "__doc__", "__firstlineno__", "__match_args__", "__module__", "__qualname__",
    "__static_attributes__", "__weakref__", "__abstractmethods__", "_abc_impl",
}  # fmt: skip
HAS_DOCSTRING = 0x4000000  # a flag of code objects since Python 3.13


def code_of(source: str) -> str:
    """Python source without layout, comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def describe(value: Any) -> Any:
    """Lists and text, fit for JSON, for all that a function, an object or a plain value follows from.

    A function is told by its compiled code, defaults and closure, and by the globals that it names, and so on with what
    those use; one from a file also by the code of that file and of those that it imports. An array or a tensor is told
    by its content, an object by its class and its attributes, a dataclass by the fields that it is compared by. What
    holds something that cannot be looked into (a lock, an open file) is told by its class there.
    Raises: InvalidInput for what is nested too deeply.
    """
    try:
        return _Walk().of(value)
    except RecursionError:
        raise InvalidInput(
            f"{type(value).__name__} {getattr(value, '__name__', '')}: what it uses is nested too deeply to be told from others; "
            "hold less in it"
        ) from None


def files_behind(starts: Iterable[Path]) -> set[Path]:
    """These Python files and all that they import, directly or not, without what is installed."""
    waiting, found = [path.resolve() for path in starts], set[Path]()
    while waiting:
        path = waiting.pop()
        if path not in found and path not in HUBS:
            found.add(path)
            waiting += imported_by(path)
    return found


def imported_by(path: Path) -> set[Path]:
    """The files that a Python file imports anywhere in it, and their packages, without what is installed."""
    return _imported_by(path, path.stat().st_mtime_ns)


@functools.cache
def _imported_by(path: Path, changed: int) -> set[Path]:
    name, base = _module_name(path)
    found = set[Path]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found |= _files_of(alias.name, base)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                parents = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
                origin = ".".join([*parents[: len(parents) - node.level + 1], *([node.module] if node.module else [])])
            for alias in node.names:
                found |= _files_of(origin, base) | _files_of(f"{origin}.{alias.name}", base)
                if origin == "pgcourse":
                    found |= _behind_public_name(alias.name)
    return {path for path in found if is_own(path)}


@functools.cache
def is_own(path: Path) -> bool:
    """Whether a file is pgcourse's or the user's, neither installed nor of the standard library."""
    path = path.resolve()
    if path.is_relative_to(PACKAGE):
        return True
    installed = {"site-packages", "dist-packages"}.intersection(path.parts) or any(map(path.is_relative_to, INSTALLED))
    return path.suffix == ".py" and not installed and path.is_file()


def digest_of(paths: Iterable[Path]) -> str:
    """One digest of the code of these files, wherever their folder is."""
    files = sorted((*_module_name(path), path) for path in paths)
    return _digest("\n".join(f"{name}\n{_code_of_file(path)}" for name, _, path in files).encode())


def code_of_file(path: Path) -> str:
    """`code_of` a file as it is now."""
    try:
        return code_of(path.read_text("utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the source in {path} cannot be read ({error}); mend the file") from error


def _code_of_file(path: Path) -> str:
    # The package's own files are read once: what is imported stays as it is while they change.
    return _imported_code(path) if path.is_relative_to(PACKAGE) else code_of_file(path)


_imported_code = functools.cache(code_of_file)


def _module_name(path: Path) -> tuple[str, Path]:
    """Dotted name of a file's module, and the folder that its outermost package, or itself, lies in."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), folder


def _files_of(name: str, base: Path) -> set[Path]:
    """The files of a module and its packages, looked for beside the importing file and then where Python looks."""
    first, *others = name.split(".")
    if not first:
        return set()
    found = set[Path]()
    for folder in (base, *_search_path(first)):
        place = folder / first
        for part in (*others, None):
            found |= {file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()}
            if part is not None:
                place /= part
        if found:
            break
    return found


@functools.cache
def _search_path(name: str) -> tuple[Path, ...]:
    """The folder that holds a top-level module or package, where it is no installed one."""
    if name in sys.stdlib_module_names:
        return ()
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return ()
    if spec is None:
        return ()
    places = [Path(place).parent for place in spec.submodule_search_locations or ()]
    if not places and spec.origin and spec.has_location:
        places = [Path(spec.origin).parent]
    return tuple(place for place in places if not {"site-packages", "dist-packages"}.intersection(place.parts))


def _behind_public_name(name: str) -> set[Path]:
    value = getattr(sys.modules[__name__.partition(".")[0]], name, None)
    home = value if isinstance(value, ModuleType) else sys.modules.get(getattr(value, "__module__", None) or "")
    return {Path(home.__file__).resolve()} if home is not None and home.__file__ else set()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _code_objects(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code_objects(constant)


class _Walk:
    """One description: what was told once is referred to by its number, which also ends every circle."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.alive: list[Any] = []  # an id is its object's own only as long as that lives

    def of(self, value: Any) -> Any:
        """A description of anything."""
        if type(value) in PLAIN or isinstance(value, TOLD_BY_REPR):
            return f"{type(value).__name__} {value!r}"
        if isinstance(value, tuple | frozenset):  # constants of the compiler, which may share or copy them
            return self.container(value)
        if id(value) in self.numbers:
            return f"number {self.numbers[id(value)]}"
        self.numbers[id(value)] = len(self.numbers)
        self.alive.append(value)
        return self.thing(value)

    def thing(self, value: Any) -> Any:
        """A description of what has an identity."""
        if isinstance(value, ModuleType):
            return ["module", value.__name__, self.file(getattr(value, "__file__", None))]
        if isinstance(value, type):
            return self.type(value)
        if isinstance(value, FunctionType):
            return self.function(value)
        if isinstance(value, functools.partial):
            return ["partial", self.of(value.func), self.of(value.args), self.of(value.keywords)]
        if isinstance(value, MethodType):
            return ["method", self.of(value.__self__), self.of(value.__func__)]
        if isinstance(value, staticmethod | classmethod):
            return [type(value).__name__, self.of(value.__func__)]
        if isinstance(value, property):
            return ["property", self.of(value.fget), self.of(value.fset), self.of(value.fdel)]
        if hasattr(value, "__wrapped__"):  # functools.cache and its like
            return [type(value).__name__, self.of(value.__wrapped__)]
        if isinstance(value, BuiltinFunctionType):
            held = value.__self__
            return [value.__qualname__, held.__name__ if isinstance(held, ModuleType) else self.of(held)]
        if inspect.isroutine(value):
            return ["routine", getattr(value, "__module__", ""), value.__qualname__]
        if isinstance(value, torch.Tensor | np.ndarray):
            return self.array(value)
        if isinstance(value, Mapping | list | set):
            return self.container(value)
        return self.instance(value)

    def container(self, value: Any) -> Any:
        name = type(value).__qualname__
        if isinstance(value, Mapping):
            return [name, [[self.of(key), self.of(item)] for key, item in value.items()]]
        items = [self.of(item) for item in value]
        return [name, sorted(items, key=str) if isinstance(value, set | frozenset) else items]

    def array(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            try:
                content = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
            except RuntimeError:  # sparse, quantised
                content = pickle.dumps(value)
            return ["tensor", str(value.dtype), list(value.shape), _digest(content)]
        if value.dtype.hasobject:
            return ["array", list(value.shape), self.of(value.tolist())]
        return ["array", str(value.dtype), list(value.shape), _digest(np.ascontiguousarray(value).tobytes())]

    def instance(self, value: Any) -> Any:
        kind = self.of(type(value))
        if isinstance(value, enum.Enum):
            return [kind, value.name]
        if isinstance(value, torch.Generator):
            return [kind, self.array(value.get_state())]
        if isinstance(value, int | float | complex | str | bytes):  # of a subclass
            return [kind, repr(value), [[name, self.of(item)] for name, item in getattr(value, "__dict__", {}).items()]]
        if dataclasses.is_dataclass(value):
            fields = [field.name for field in dataclasses.fields(value) if field.compare]
            return [kind, [[name, self.of(getattr(value, name, None))] for name in fields]]
        slots = [name for base in type(value).__mro__ for name in _slots_of(base) if hasattr(value, name)]
        if hasattr(value, "__dict__") or slots:
            held = {name: getattr(value, name) for name in slots} | dict(getattr(value, "__dict__", {}))
            return [kind, [[name, self.of(item)] for name, item in held.items()]]
        try:
            return [kind, _digest(pickle.dumps(value, protocol=4))]
        except Exception:  # a lock, a file, a generator: each refuses in its own way
            return [kind, "not looked into"]

    def function(self, function: FunctionType) -> Any:
        file, name = function.__globals__.get("__file__"), function.__globals__.get("__name__")
        held = [
            self.of(function.__defaults__),
            self.of(function.__kwdefaults__),
            [self.of(_content(cell)) for cell in function.__closure__ or ()],
        ]
        if name == "__main__" or not file:
            return ["function", self.code(function.__code__), held, self.names(function)]
        if not is_own(Path(file)):
            return ["function", name, function.__qualname__, held, self.of(getattr(function, "__wrapped__", None))]
        told = ["function", function.__qualname__, self.file(file), self.code(function.__code__), held]
        # Of a learner's file the globals too: it may have changed on the disk since it was imported.
        return told if _in_package(file) else [*told, self.names(function)]

    def code(self, code: CodeType) -> Any:
        """Compiled code, which holds neither layout nor comments, without docstrings."""
        constants, flags = list(code.co_consts), code.co_flags & ~HAS_DOCSTRING
        documented = flags != code.co_flags if sys.version_info >= (3, 13) else flags & inspect.CO_NEWLOCALS
        if documented and constants and isinstance(constants[0], str):
            constants[0] = None
        return [
            _digest(code.co_code + code.co_exceptiontable),
            [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, flags],
            [list(code.co_names), list(code.co_varnames), list(code.co_freevars), list(code.co_cellvars)],
            [self.code(each) if isinstance(each, CodeType) else self.of(each) for each in constants],
        ]

    def names(self, function: FunctionType) -> Any:
        """What the globals are that a function's code names, and the attributes of modules that it takes."""
        instructions = [each for code in _code_objects(function.__code__) for each in dis.get_instructions(code)]
        used = {
            each.argval
            for each in instructions
            if each.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT"))
        }
        attributes = sorted(
            {each.argval for each in instructions if each.opname.startswith(("LOAD_ATTR", "LOAD_METHOD"))}
        )
        told = []
        for name in sorted(used):
            if name not in function.__globals__:
                told.append([name, "builtin" if hasattr(builtins, name) else "missing"])
                continue
            value = function.__globals__[name]
            told.append([name, self.of(value)])
            file = getattr(value, "__file__", None) if isinstance(value, ModuleType) else None
            if file and is_own(Path(file)) and not _in_package(file):
                told += [
                    [attribute, self.of(vars(value)[attribute])] for attribute in attributes if attribute in vars(value)
                ]
        return told

    def type(self, kind: type) -> Any:
        name = [kind.__module__, kind.__qualname__]
        home = sys.modules.get(kind.__module__)
        file = getattr(home, "__file__", None)
        # Of a notebook, a module knows no file; `exec` and builtins have none either.
        if kind.__module__ != "__main__" and (file is None or not is_own(Path(file))):
            return ["class", *name]
        if kind.__module__ != "__main__" and file is not None and _in_package(file):
            return ["class", *name, self.file(file)]
        told = [["base", self.of(base)] for base in kind.__bases__]
        for key, value in sorted(vars(kind).items()):
            if key not in NO_CODE and not inspect.ismemberdescriptor(value) and not inspect.isgetsetdescriptor(value):
                told.append([key, self.of(value)])
        return ["class", self.file(file) if kind.__module__ != "__main__" else "", told]

    def file(self, file: str | None) -> str:
        """Digest of a file's code and of all that it imports; nothing for what is installed."""
        path = Path(file).resolve() if file else None
        return digest_of(files_behind([path])) if path is not None and is_own(path) else ""


def _in_package(file: str) -> bool:
    return Path(file).resolve().is_relative_to(PACKAGE)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # named in a function before it is given a value
        return "nothing yet"


def _slots_of(base: type) -> tuple[str, ...]:
    slots = vars(base).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))
