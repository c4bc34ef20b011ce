"""The rules that keep Celery's canvases beautiful, which Celery itself does not keep."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator

import contracts
from contracts.envelope import Message
from tests.architecture.sources import Function, Source, called_name, keywords, sources

DEPLOYABLES = ("cloud", "compute_agent", "scheduler")
TASK_NAME = re.compile(r"(conductor|scheduler|compute)\.v\d+\.[a-z]+(_[a-z]+)*")

# The doors: who may make signatures, and who may wait for a result (the API, when a person waits with it).
MAKES_SIGNATURES = {"cloud/core/rpc.py"}
WAITS_FOR_RESULTS = {"cloud/core/rpc.py"}
SENDERS = {"delay", "apply_async", "send_task"}
RESULT_CLASSES = {"AsyncResult", "EagerResult", "GroupResult", "ResultSet", "allow_join_result"}


def test_every_task_has_an_explicit_name():
    unnamed = [
        f"{one.path}:{node.lineno}"
        for one in sources(*DEPLOYABLES)
        for node in _task_declarations(one)
        if not (isinstance(node, ast.Call) and {"name", "**"} & keywords(node))
    ]
    assert not unnamed


def _task_declarations(source: Source) -> Iterator[ast.expr]:
    for call in source.calls():
        if called_name(call) in {"task", "shared_task"}:
            yield call
    for function in source.functions():
        for decorator in function.decorator_list:
            # A bare `@app.task` or `@shared_task`, without a call, has no name either.
            name = getattr(decorator, "attr", getattr(decorator, "id", ""))
            if not isinstance(decorator, ast.Call) and name in {"task", "shared_task"}:
                yield decorator


def test_task_names_have_service_version_and_verb():
    names = set(_contract_names())
    assert len(names) > 15
    assert not [name for name in names if not TASK_NAME.fullmatch(name)]


def _contract_names() -> Iterator[str]:
    for module in pkgutil.iter_modules(contracts.__path__):
        for value in vars(importlib.import_module(f"contracts.{module.name}")).values():
            if isinstance(value, str) and ".v1." in value:
                yield value
            if isinstance(value, type) and issubclass(value, Message) and getattr(value, "NAME", ""):
                yield value.NAME


def test_signatures_are_made_at_one_door_so_that_each_has_a_queue():
    strays = [
        f"{one.path}:{call.lineno}"
        for one in sources(*DEPLOYABLES)
        for call in one.calls()
        if isinstance(call.func, ast.Attribute)
        and called_name(call) in {"signature", "s", "si", "subtask"}
        and one.path not in MAKES_SIGNATURES
    ]
    assert not strays


def test_whatever_is_sent_by_name_has_a_queue():
    without = [
        f"{one.path}:{call.lineno}"
        for one in sources(*DEPLOYABLES)
        for call in one.calls()
        if called_name(call) == "send_task" and not {"queue", "**"} & keywords(call)
    ]
    assert not without


def test_nothing_is_sent_by_delay_which_cannot_name_a_queue():
    assert not [
        f"{one.path}:{call.lineno}"
        for one in sources(*DEPLOYABLES)
        for call in one.calls()
        if isinstance(call.func, ast.Attribute) and called_name(call) == "delay"
    ]


def test_nobody_waits_for_a_result_but_the_one_door():
    waiting = [
        place
        for one in sources(*DEPLOYABLES)
        if one.path not in WAITS_FOR_RESULTS
        for place in [*_result_classes(one), *(place for node in one.functions() for place in _waits(one, node))]
    ]
    assert not waiting


def test_a_wait_for_a_result_is_found():
    text = "def f(app):\n    answer = app.send_task('x', queue='q')\n    return answer.get(timeout=1)\n"
    source = Source("x.py", 3, ast.parse(text))
    assert [place for node in source.functions() for place in _waits(source, node)] == ["x.py:3"]
    chained = Source("x.py", 1, ast.parse("def f(c):\n    return c.apply_async().get()\n"))
    assert [place for node in chained.functions() for place in _waits(chained, node)] == ["x.py:2"]


def _result_classes(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("celery"):
            yield from (f"{source.path}:{node.lineno}" for alias in node.names if alias.name in RESULT_CLASSES)
        if isinstance(node, ast.Attribute) and node.attr in RESULT_CLASSES:
            yield f"{source.path}:{node.lineno}"


def _waits(source: Source, function: Function) -> Iterator[str]:
    """Find `.get()` and `.join()` on what a sending call returned, directly or by way of a variable."""
    results = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and called_name(node.value) in SENDERS
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"get", "join"}:
            owner = node.func.value
            is_sent = isinstance(owner, ast.Call) and called_name(owner) in SENDERS
            if is_sent or (isinstance(owner, ast.Name) and owner.id in results):
                yield f"{source.path}:{node.lineno}"
