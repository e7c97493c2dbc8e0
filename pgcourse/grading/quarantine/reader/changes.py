"""Which cells may change an object that an answer uses: all that mention it, or a name that leads to it.

A name leads to whatever the statements mention that bind it or take an attribute of it. A function or class that holds no object
is changed where a cell takes an attribute of it, decorates with it or builds on it, not by a call. What is imported, and the
answers themselves, change by no call.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgcourse.grading.quarantine.reader.names import BY_TEXT, global_names, names_of, root_of, uses
from pgcourse.grading.quarantine.reader.python import inert, parsed

MAX_CHARACTERS = 300_000  # of all cells of a notebook that are looked through for changes
DEFAULTS = "set_default"  # `torch.set_default_dtype` changes all of torch
# What makes an object, but for calls that make what nothing changes.
_MAKING = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp, ast.Call, ast.Await)
_UNCHANGING = {"bool", "device", "field", "float", "int", "len", "namedtuple", "range", "round", "str"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


@dataclass
class Statement:
    """A statement at the top level of a cell.

    Fields: runs: what it mentions while it runs: `name`, `name.` where an attribute of it is taken, `name.attribute` where one is
    set. mentions: these, and what its functions mention. leads: names that lead to all that. makes: names that it binds by
    more than an import. objects: those of them that stand for an object.
    """

    cell: int
    runs: set[str]
    mentions: set[str]
    leads: set[str]
    makes: set[str]
    objects: set[str]


def statements(cell: int, source: str) -> list[Statement]:
    """Those of a cell."""
    tree, (_, later) = parsed(inert(source)), uses(source)
    try:
        return [_statement(cell, node, later) for node in tree.body] if tree else []
    except RecursionError:  # thousands of `elif`
        return []


def _statement(cell: int, node: ast.stmt, later: set[str]) -> Statement:
    nodes = [*_running(node)]
    runs = {*_mentions(nodes)}
    inside = {
        each for each in _mentions(ast.walk(node)) if each[0] == "." or each.partition(".")[0] in later
    }  # no locals
    leads = names_of([node]) | global_names(node) | {each[:-1] for each in runs if each.endswith(".")}
    stored = {part for part in nodes if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    plain = {target for part in nodes if _is_plain(part) for target in ast.walk(part)}
    objects = {part.id for part in stored - plain} | global_names(node)
    objects |= {part.name for part in nodes if isinstance(part, ast.ClassDef) and objects}
    objects |= {part.name for part in nodes if isinstance(part, _FUNCTIONS) and any(map(_makes, _defaults(part)))}
    makes = {part.id for part in stored} | {part.name for part in nodes if isinstance(part, _DEFINITIONS)} | objects
    return Statement(cell, runs, runs | inside, leads, makes, objects)


def _running(statement: ast.stmt) -> Iterator[ast.AST]:
    """All nodes but the bodies of functions, which run when these are called."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _FUNCTIONS):
            waiting += [*node.decorator_list, *_defaults(node)]
        else:
            waiting += ast.iter_child_nodes(node)


def _defaults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    return [*function.args.defaults, *filter(None, function.args.kw_defaults)]


def _is_plain(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and not _makes(node.value)


def _makes(value: ast.expr | None) -> bool:
    if value is None or isinstance(value, ast.Lambda):
        return False
    made = (part for part in ast.walk(value) if isinstance(part, _MAKING))
    return any(not isinstance(part, ast.Call) or _called(part) not in _UNCHANGING for part in made)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _mentions(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name):
                yield f"{node.value.id}."
            if not isinstance(node.ctx, ast.Load):
                yield f"{root_of(node)}.{node.attr}"
            if node.attr.startswith(DEFAULTS):
                yield f".{DEFAULTS}"
        elif isinstance(node, _DEFINITIONS):
            bases = [*node.bases, *node.keywords] if isinstance(node, ast.ClassDef) else []
            parts = (part for each in (*node.decorator_list, *bases) for part in ast.walk(each))
            yield from (f"{part.id}." for part in parts if isinstance(part, ast.Name))
        elif isinstance(node, ast.Call) and _called(node) in ("setattr", "delattr") and node.args:
            named = [part.value for part in node.args[1:2] if isinstance(part, ast.Constant)]
            yield from (f"{root_of(node.args[0])}.{name!s}" for name in ("", *named))


class Changes:
    """Of all cells of a notebook. Args: sources: (number, source) of each. answers: functions and classes."""

    def __init__(self, sources: Iterable[tuple[int, str]], answers: Iterable[str]) -> None:
        sources, self.answers = [*sources], {*answers}
        small = sum(len(source) for _, source in sources) <= MAX_CHARACTERS
        every = [each for cell, source in sources for each in statements(cell, source)] if small else []
        self.objects = BY_TEXT.union(*(each.objects for each in every)) - self.answers
        known = self.objects.union(self.answers, *(each.makes for each in every))
        self.own = known - self.answers
        self.leading: dict[str, list[Statement]] = {}
        self.mentioning: dict[str, list[Statement]] = {}
        for each in every:
            for name in each.leads & known:
                self.leading.setdefault(name, []).append(each)
            for mention in each.mentions:
                name, _, attribute = mention.partition(".")
                if "." in mention and name not in known:  # of something imported, whatever an answer calls that
                    each.runs |= {f".{attribute}"} if mention in each.runs else set()
                    mention = f".{attribute}"
                self.mentioning.setdefault(mention, []).append(each)

    def of(self, names: Iterable[str]) -> set[int]:
        """Cells that may change what has these names, or what these lead to; none for what was asked before.

        Args: names: `.attribute` for those of something imported.
        """
        waiting, cells = [*names], set()
        while waiting:
            name = waiting.pop()
            for each in self.leading.pop(name, ()):
                waiting += [mention for mention in each.mentions if not mention.endswith(".")]
                each.mentions.clear()
            cells |= self._mentioning(f"{name}.")
            if name in self.objects or name.startswith("."):
                cells |= self._mentioning(name)
        return cells

    def _mentioning(self, mention: str) -> set[int]:
        """Cells that mention it while they run, or a name that leads to it."""
        waiting, cells = [mention], set()
        while waiting:
            mention = waiting.pop()
            for each in self.mentioning.pop(mention, ()):
                cells |= {each.cell} if mention in each.runs else set()
                waiting += each.leads & self.own
                each.leads.clear()
        return cells
