"""What a cell changes of what other cells made: by a method, a function of the learner's, a decorator, or a text that it runs.

Everything is read off the syntax, and taken broadly: a cell too many costs a little time, one too few costs the answer. What is
imported, and the answers themselves, change by no call.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pgcourse.grading.quarantine.reader.names import names_of, root_of, used_names
from pgcourse.grading.quarantine.reader.python import inert, parsed

MAX_CHARACTERS = 1_000_000  # of all cells of a notebook that are looked through for changes
# Modules whose functions change what they are handed: `random.shuffle(steps)`. Others draw, print and train.
_CHANGING = set(sys.stdlib_module_names) - {"cProfile", "json", "logging", "pprint", "time", "timeit", "warnings"}
_CHANGING |= {"numpy", "torch"}
_NAMESPACES = ("globals", "locals", "vars")
_OF_TYPES = (
    "list",
    "dict",
    "set",
    "type",
    "object",
)  # whose methods are called with what they change: `list.append(x, 1)`
# Methods that are handed on uncalled: `map(steps.append, more)`.
_HANDED_ON = ("add", "append", "appendleft", "extend", "insert", "pop", "push", "register", "setdefault", "update")
_FILLING = ("update", "setdefault", "__setitem__")  # methods of theirs
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# What a cell does, to be settled when all cells are known: a name that it changes; `f()` where it calls f; or one of the tuples
# ("made", name), ("argument", f, name), ("first", module, name), ("set", module), ("attribute", module, name), ("new", class),
# ("through", name).
Deed = str | tuple[str, ...]


@dataclass
class Doings:
    """Of one cell.

    Fields: deeds: what it does while it runs. leads: `f()` or a name -> what it does besides whoever calls f, or changes what
    has this name. modules: imported name -> top module. own: other names that it binds. classes: of these. changers: functions
    that change what they are handed. handing: function -> others to which it hands that on. reads: names that the texts which
    it runs use.
    """

    deeds: set[Deed] = field(default_factory=set)
    leads: dict[str, set[Deed]] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    changers: set[str] = field(default_factory=set)
    handing: dict[str, set[str]] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)

    def leads_to(self, name: str, deeds: Iterable[Deed]) -> None:
        """Add deeds that follow."""
        self.leads.setdefault(name, set()).update(deeds)


def doings(source: str) -> Doings:
    """What a cell does."""
    found = Doings()
    tree = parsed(inert(source))
    try:
        if tree:
            _note(tree, found)
    except RecursionError:
        return Doings()
    return found


@dataclass(frozen=True)
class Changes:
    """Of all cells of a notebook.

    Fields: by: cell's number -> what it changes. causes: what changes -> through what else. reads: cell's number -> names.
    """

    by: Mapping[int, set[str]] = field(default_factory=dict)
    causes: Mapping[str, set[str]] = field(default_factory=dict)
    reads: Mapping[int, set[str]] = field(default_factory=dict)

    @classmethod
    def among(cls, sources: Mapping[int, str], answers: Iterable[str]) -> "Changes":
        """Args: sources: cell's number -> source. answers: names of functions and classes whose calls change nothing."""
        if sum(map(len, sources.values())) > MAX_CHARACTERS:
            return cls()
        every = {number: doings(source) for number, source in sources.items()}
        whole = Doings()
        for each in every.values():
            whole.modules |= each.modules
            whole.own |= each.own
            whole.classes |= each.classes
            whole.changers |= each.changers
            for name, deeds in each.leads.items():
                whole.leads_to(name, deeds)
            for name, others in each.handing.items():
                for other in others:
                    whole.handing.setdefault(other, set()).add(name)  # the other way round
        waiting = [*whole.changers]
        while waiting:
            more = whole.handing.pop(waiting.pop(), set()) - whole.changers
            whole.changers |= more
            waiting += more
        whole.changers -= set(answers)
        kept = {*answers}
        by = {number: {*_settled(each.deeds, whole, kept)} for number, each in every.items()}
        causes: dict[str, set[str]] = {}
        for name, deeds in whole.leads.items():
            for changed in _settled(deeds, whole, kept) if name.removesuffix("()") not in kept else ():
                causes.setdefault(changed, set()).add(name)
        return cls(by, causes, {number: each.reads for number, each in every.items()})


def _settled(deeds: Iterable[Deed], whole: Doings, answers: set[str]) -> Iterator[str]:
    """The names that are changed, the calls of learner's functions, `.name` for an attribute of what is imported, `*` for all."""
    for deed in deeds:
        if isinstance(deed, str):
            called = deed.removesuffix("()")
            if deed == "*" or (called in whole.own and (called == deed or called not in answers)):
                yield deed
            continue
        kind, subject, *more = deed
        module = "" if subject in whole.own else whole.modules.get(subject, "")
        changing = subject in whole.changers if kind == "argument" else kind == "first" and module in _CHANGING
        if kind == "made":
            yield subject
        elif changing and more[0] in whole.own:
            yield more[0]
        elif kind == "set" and module in _CHANGING:
            yield subject
        elif kind == "attribute" and module:
            yield from (f".{more[0]}", more[0])
        elif kind == "new" and subject in whole.classes - answers:
            yield f"{subject}()"
        elif kind == "through" and subject in whole.own and subject not in answers:
            yield subject


def _note(tree: ast.Module, found: Doings) -> None:
    """Write down all of a tree."""
    found.own |= names_of(tree.body)
    nodes = [*_running(tree.body)]
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            source = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                found.modules[name] = (source or alias.name).partition(".")[0]
        elif isinstance(node, _FUNCTIONS):
            _note_function(node.name, [node], found)
        elif isinstance(node, ast.ClassDef):
            found.classes.add(node.name)
            for method in node.body:
                if isinstance(method, _FUNCTIONS):
                    _note_function(node.name, [method], found, of_class=True)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    _note_alias(target.id, node.value, found)
    # A name that the cell imports is no value of its own, however often `torch.x = 1` counts as binding torch.
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    defined = {node.name for node in nodes if isinstance(node, (*_FUNCTIONS, ast.ClassDef))}
    found.own -= {*found.modules} - stored - defined
    changed_parts = {root_of(n) for n in nodes if isinstance(n, ast.Attribute | ast.Subscript) and _is_changed(n)}
    found.own -= changed_parts - stored - defined
    found.deeds |= _all_deeds(nodes)
    for node in nodes:
        if isinstance(node, ast.Call) and (text := _text(node)) is not None:
            read = parsed(text)
            if read is None:
                found.deeds.add("*")
                continue
            found.deeds |= {("made", name) for name in names_of(read.body)} | _all_deeds([*_running(read.body)])
            found.reads |= used_names(text)


def _text(call: ast.Call) -> str | None:
    """The text that the call runs as statements: what cannot be read, where it is made at run time; None for another call."""
    if not isinstance(call.func, ast.Name) or call.func.id not in ("exec", "eval") or not call.args:
        return None
    if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        return call.args[0].value
    return "(" if call.func.id == "exec" else None


def _running(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes but what is inside of functions that have a name, which runs when they are called."""
    waiting: list[ast.AST] = list(statements)[::-1]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _FUNCTIONS):
            waiting += [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            waiting += node.targets
        else:
            waiting += [*ast.iter_child_nodes(node)][::-1]


def _note_function(name: str, body: list[ast.AST], found: Doings, *, of_class: bool = False) -> None:
    """What calls of the name lead to, through a function with all that is inside of it."""
    nodes = [part for each in body for part in ast.walk(each)]
    inside = [part for part in nodes if part not in body]
    parameters = [part.arg for part in nodes if isinstance(part, ast.arg)]
    declared = {name for part in nodes if isinstance(part, ast.Global) for name in part.names}
    stored = {part.id for part in nodes if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}
    stored |= {part.name for part in inside if isinstance(part, (*_FUNCTIONS, ast.ClassDef))}
    local = {*parameters, *stored} - declared
    deeds = _all_deeds(nodes)
    handed = {*parameters[of_class:]}  # not `self`
    if any(isinstance(deed, str) and deed in handed for deed in deeds):
        found.changers.add(name)
    handing = {deed[1] for deed in deeds if not isinstance(deed, str) and deed[0] == "argument" and deed[2] in handed}
    found.handing.setdefault(name, set()).update(handing)
    outside = {deed for deed in deeds if _subject(deed) not in local}
    found.leads_to(f"{name}()", outside | {("made", each) for each in stored & declared})


def _subject(deed: Deed) -> str:
    """The name that has to be one of the notebook, and no local one, for a deed to count."""
    if isinstance(deed, str):
        return deed.removesuffix("()")
    return {"made": "", "attribute": deed[1]}.get(deed[0], deed[-1])


def _note_alias(name: str, value: ast.expr, found: Doings) -> None:
    """`name = value`: who changes it, or calls it, may change something else."""
    if isinstance(value, ast.Lambda):
        _note_function(name, [value], found)
    elif isinstance(value, ast.Call):
        found.leads_to(name, {("new", value.func.id)} if isinstance(value.func, ast.Name) else set())
    elif isinstance(value, ast.List | ast.Tuple | ast.Set | ast.Dict):
        found.leads_to(name, {("through", part.id) for part in ast.walk(value) if isinstance(part, ast.Name)})
    elif root := root_of(value):
        found.leads_to(name, {root})
        found.leads_to(f"{name}()", {root} if isinstance(value, ast.Attribute) else {f"{root}()"})


def _is_changed(node: ast.Attribute | ast.Subscript) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _all_deeds(nodes: Sequence[ast.AST]) -> set[Deed]:
    """What the nodes do; with a name that stands for a part of another one, to that one."""
    deeds = {*_deeds(nodes)}
    for node in reversed(nodes):  # what is inside first
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            stand_ins = {part.id for part in ast.walk(node.target) if isinstance(part, ast.Name)}
            if _done_to(stand_ins, deeds):
                functions = {part.func for part in ast.walk(node.iter) if isinstance(part, ast.Call)}
                whose = (part for part in ast.walk(node.iter) if isinstance(part, ast.Name) and part not in functions)
                deeds |= {("through", part.id) for part in whose}
        elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            same = _done_to({node.optional_vars.id}, deeds) and root_of(node.context_expr)
            deeds |= {root_of(node.context_expr)} if same else set()
        elif isinstance(node, ast.Assign) and (root := root_of(node.value)):
            aliases = {target.id for target in node.targets if isinstance(target, ast.Name)}
            deeds |= {root} if _done_to(aliases, deeds) else set()
    return deeds


def _done_to(names: set[str], deeds: set[Deed]) -> bool:
    return any(name in deeds or ("through", name) in deeds for name in names)


def _deeds(nodes: Iterable[ast.AST]) -> Iterator[Deed]:
    """What the nodes do, one by one."""
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Subscript) and _is_changed(node):
            root = root_of(node)
            if root:
                yield root
            if isinstance(node, ast.Attribute):
                yield ("attribute", root, node.attr)
            elif _is_namespace(node.value):
                yield _made(node.slice)
        elif isinstance(node, ast.Attribute) and node.attr in _HANDED_ON and isinstance(node.value, ast.Name):
            yield node.value.id
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            for each in node.decorator_list:
                yield from _called(each)
            if isinstance(node, ast.ClassDef):  # a class can keep a list of those that are made of it
                for base in filter(None, map(root_of, [*node.bases, *(keyword.value for keyword in node.keywords)])):
                    yield from (base, f"{base}()")
        elif isinstance(node, ast.Call):
            yield from _called(node.func)
            yield from _handed(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.args:
            module, first = root_of(node.value.func), root_of(node.value.args[0])
            name = node.value.func.attr if isinstance(node.value.func, ast.Attribute) else ""
            if module and first and not name.endswith("seed"):
                yield ("first", module, first)


def _called(function: ast.expr) -> Iterator[Deed]:
    if isinstance(function, ast.Name):
        yield f"{function.id}()"
    elif isinstance(function, ast.Attribute) and (root := root_of(function)):
        yield root
        if function.attr.startswith("set_default"):
            yield ("set", root)
    elif isinstance(function, ast.Call) and root_of(function.func) == "getattr" and function.args:
        yield root_of(function.args[0])


def _handed(call: ast.Call) -> Iterator[Deed]:
    """What is done to a call's arguments."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    for each in arguments:
        if isinstance(each, ast.Name):
            yield f"{each.id}()"  # `map(fill, more)`
    if root_of(call.func) in _OF_TYPES and not name:
        yield from map(root_of, call.args[:1])
    if name in ("setattr", "delattr", "next") and arguments:
        if root := root_of(arguments[0]):
            yield root
        named = arguments[1] if len(arguments) > 1 and name != "next" else None
        if isinstance(named, ast.Constant) and isinstance(named.value, str):
            yield ("attribute", root, named.value)
    elif name:
        for each in arguments:
            if root := root_of(each.value if isinstance(each, ast.Starred) else each):
                yield ("argument", name, root)
    elif isinstance(call.func, ast.Attribute) and _is_namespace(call.func.value) and call.func.attr in _FILLING:
        yield from (("made", keyword.arg) if keyword.arg else "*" for keyword in call.keywords)
        for each in call.args[:1]:
            yield from map(_made, each.keys if isinstance(each, ast.Dict) else [each])


def _is_namespace(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _NAMESPACES
        and not (node.args or node.keywords)
    )


def _made(key: ast.expr | None) -> Deed:
    """What an item of the notebook's namespace binds: anything, where its name is made at run time."""
    return ("made", key.value) if isinstance(key, ast.Constant) and isinstance(key.value, str) else "*"
