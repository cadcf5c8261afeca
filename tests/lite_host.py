"""Stands in for xlwings Lite: runs a workbook's `main.py` and calls the functions in it as the add-in does.

    python -I lite_host.py MAIN QUESTIONS

Reads a `main.py` and questions as JSON, [function, arguments] each, where {"model": true} stands for the answer to the
first question; prints the answers and the seconds of each step as JSON. Runs in CPython and in Pyodide, with nothing of
the tests around it. What it knows of xlwings is the shape of `func` and `arg`.
"""

import importlib.abc
import json
import pathlib
import sys
import time
import types

UNASKED = ("lzma", "pandas", "openpyxl", "lxml", "click", "rich", "formualizer", "python_calamine")
"""What the workbook does not ask for is not there, nor what Pyodide leaves out of Python."""


class Unasked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in UNASKED:
            raise ImportError(f"{name} is not among the requirements of the workbook")


def xlwings():
    """What the functions take of xlwings: decorators that note what they are told."""

    def func(**options):
        def noted(function):
            function.__xlfunc__ = {**getattr(function, "__xlfunc__", {}), **options}
            return function

        return noted

    def arg(name, **options):
        def noted(function):
            function.__xlfunc__ = {**getattr(function, "__xlfunc__", {}), name: options}
            return function

        return noted

    module = types.ModuleType("xlwings")
    module.func, module.arg = func, arg
    return module


def functions(source):
    """The functions of a `main.py`, run as a module without a file."""
    main = types.ModuleType("main")
    exec(compile(source, "main.py", "exec"), main.__dict__)
    return {name: x for name, x in vars(main).items() if hasattr(x, "__xlfunc__")}


def asked(argument, model):
    """An argument as it arrives: left out it is None, a cell or a range comes as rows."""
    if argument is None:
        return None
    if argument == {"model": True}:
        argument = model
    return argument if isinstance(argument, list) else [[argument]]


def answers(source, questions, after=dict):
    """The answers, and how many seconds each step takes."""
    sys.modules["xlwings"] = xlwings()
    sys.meta_path.insert(0, Unasked())
    steps, found, model = {}, [], None

    def timed(step, work, *given):
        begun = time.perf_counter()
        done = work(*given)
        steps[step] = time.perf_counter() - begun
        return done

    known = timed("main.py", functions, source)
    timed("main.py again", functions, source)
    for number, (name, given) in enumerate(questions):
        arguments = [asked(a, model) for a in given]
        step = f"{number} {name}"
        found.append(timed(step, known[name], *arguments))
        timed(f"{step} again", known[name], *arguments)
        model = model or found[0]
    return {"answers": found, "steps": steps, "functions": sorted(known), **after()}


if __name__ == "__main__":
    given = [pathlib.Path(path).read_text(encoding="utf-8") for path in sys.argv[1:3]]
    print(json.dumps(answers(given[0], json.loads(given[1]))))
