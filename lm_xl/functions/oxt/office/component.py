"""The add-in as LibreOffice sees it: the functions, and a job that looks at each workbook when it is opened."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Callable

import uno
import unohelper
from com.sun.star.awt import XCallback
from com.sun.star.lang import XServiceInfo
from com.sun.star.task import XJob
from lm_xl_office.engine import Engine, NotRunning
from lm_xl_office.formulas import MODEL, WHY, entered, holds_functions

SERVICE, JOB = "lm_xl", "lm_xl.Opened"
FORMULAS = 16
"""The flag of Calc for cells that hold formulas."""
NAME = "#NAME?"
ERRORS = {
    "#NUM!": 503,
    "#VALUE!": 519,
    "#NULL!": 521,
    "#REF!": 524,
    NAME: 525,
    "#DIV/0!": 532,
    "#N/A": 32767,
}
"""The numbers that Calc has for error values; it has none for the newer ones of Excel, which are #VALUE! here."""

BUILT = json.loads(Path(__file__).with_name("functions.json").read_text(encoding="utf-8"))
"""What the add-in was built with: version, Python, and each function with its method and the place of its model."""
PLACES: dict[str, int | None] = {name: f["model"] for name, f in BUILT["functions"].items()}


def _product(context: Any) -> str:
    """The name and version of this LibreOffice."""
    create = context.ServiceManager.createInstanceWithContext
    provider = create("com.sun.star.configuration.ConfigurationProvider", context)
    path = uno.createUnoStruct("com.sun.star.beans.NamedValue", "nodepath", "org.openoffice.Setup/Product")
    product = provider.createInstanceWithArguments("com.sun.star.configuration.ConfigurationAccess", (path,))
    return f"{product.getByName('ooName')} Calc {product.getByName('ooSetupVersion')}"


class Functions(unohelper.Base, XServiceInfo):
    """Each function as a method, set below; the one Python behind them all."""

    engine: Engine | None = None

    def __init__(self, context: Any) -> None:
        self._later = Later(context)
        if Functions.engine is None:
            host = _product(context)
            Functions.engine = Engine(BUILT["version"], BUILT["python"], BUILT["path"], host)

    def getTypes(self) -> tuple[Any, ...]:  # noqa: N802
        """The interfaces, ours by its name: while the add-in is being installed it is not always there to be imported."""
        return (*super().getTypes(), uno.getTypeByName("lmxl.XFunctions"))

    def answer(self, name: str, document: Any, arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], ...]:
        """The rows that a call shows. An argument that was left out comes as None, and so do those behind the last one."""
        engine, given = Functions.engine, list(arguments)
        while given and given[-1] is None:
            given.pop()
        assert engine is not None
        try:
            reply = engine.ask(name, [_sent(x) for x in given])
        except NotRunning as fault:
            return ((f"{NAME} {fault}" if name == WHY else _error(NAME),),)
        if document is not None:
            if _lacks_model(name, given):
                self._later.enter(document)
            if "lost" in reply:
                self._later.recalculate(document, f"{engine.starts} {reply['lost']}")
        return tuple(tuple(_shown(x) for x in row) for row in reply["rows"])

    def getImplementationName(self) -> str:  # noqa: N802
        return f"{SERVICE}.Functions"

    def supportsService(self, name: str) -> bool:  # noqa: N802
        return name == SERVICE

    def getSupportedServiceNames(self) -> tuple[str, ...]:  # noqa: N802
        return (SERVICE,)


def _method(name: str) -> Callable[..., Any]:
    def method(self: Functions, caller: Any, *arguments: Any) -> Any:
        return self.answer(name, caller, arguments)

    return method


for _name, _function in BUILT["functions"].items():
    setattr(Functions, _function["method"], _method(_name))


def _sent(value: Any) -> Any:
    """An argument as JSON has it: {} for one that was left out."""
    if value is None:
        return {}
    if isinstance(value, tuple):
        return [["" if x is None else x for x in row] for row in value]
    return value


def _shown(value: Any) -> Any:
    """A cell of an answer as Calc takes it."""
    if isinstance(value, dict):
        return _error(value["error"])
    return "" if value is None else value


def _error(code: str) -> float:
    """An error value as Calc keeps it in a number: what is no number, with the error's own number in its low bits."""
    number = 0x7FF8_0000_0000_0000 | ERRORS.get(code, ERRORS["#VALUE!"])
    found: float = struct.unpack("<d", struct.pack("<Q", number))[0]
    return found


def _lacks_model(name: str, given: Any) -> bool:
    at = PLACES[name]
    if name == WHY and given:
        asked = PLACES.get(str(given[0]).strip().lstrip("=").upper())
        at = None if asked is None else asked + 1
    return at is not None and (at >= len(given) or given[at] is None)


class Later:
    """What cannot be done to a workbook while it computes a cell, done when it has finished."""

    def __init__(self, context: Any) -> None:
        self._waiting: set[str] = set()
        self._recalculated: set[tuple[str, str]] = set()
        create = context.ServiceManager.createInstanceWithContext
        self._queue = create("com.sun.star.awt.AsyncCallback", context)

    def enter(self, document: Any) -> None:
        """Write the model into the calls that name none."""
        self._queued(document, "enter", lambda: enter(document))

    def recalculate(self, document: Any, lost: str) -> None:
        """Have the models made again, once for each that is lost."""
        key = (document.RuntimeUID, lost)
        if key not in self._recalculated:
            self._recalculated.add(key)
            self._queued(document, "recalculate", document.calculateAll)

    def _queued(self, document: Any, what: str, do: Callable[[], object]) -> None:
        key = f"{what} {document.RuntimeUID}"

        def done() -> None:
            self._waiting.discard(key)
            do()

        if key not in self._waiting:
            self._waiting.add(key)
            self._queue.addCallback(Callback(done), None)


class Callback(unohelper.Base, XCallback):
    """Something to do."""

    def __init__(self, do: Callable[[], object]) -> None:
        self._do = do

    def notify(self, _data: Any) -> None:
        try:
            self._do()
        except uno.getClass("com.sun.star.lang.DisposedException"):
            pass  # the workbook was closed in the meantime


def enter(document: Any) -> int:
    """Enter again what Calc did not understand and what names no model, as a part of the step that undo takes back.

    Returns how many cells hold our functions.
    """
    held = 0
    undo, automatic = document.UndoManager, document.isAutomaticCalculationEnabled()
    hidden = undo.isUndoPossible()
    if hidden:
        undo.enterHiddenUndoContext()
    document.enableAutomaticCalculation(False)
    try:
        for sheet in document.Sheets:
            held += _enter_sheet(document, sheet)
    finally:
        document.enableAutomaticCalculation(automatic)
        if hidden:
            undo.leaveUndoContext()
    return held


def _enter_sheet(document: Any, sheet: Any) -> int:
    held = 0
    named = any(names.hasByName(MODEL) for names in (sheet.NamedRanges, document.NamedRanges))
    for area in sheet.queryContentCells(FORMULAS):
        for i, row in enumerate(area.getFormulaArray()):
            for j, formula in enumerate(row):
                if holds_functions(formula):
                    held += 1
                    _enter_cell(sheet, area.getCellByPosition(j, i), formula, named)
    return held


def _enter_cell(sheet: Any, cell: Any, formula: str, named: bool) -> None:
    in_block = formula.startswith("{=")
    new = entered(formula[1:-1] if in_block else formula, PLACES, named=named)
    if new is None:
        return
    block = sheet.createCursorByRange(cell)
    if in_block:
        block.collapseToCurrentArray()
        first, own = block.RangeAddress, cell.CellAddress
        if (first.StartColumn, first.StartRow) != (own.Column, own.Row):
            return  # its first cell was entered for all
        block.setArrayFormula("")
        block.setArrayFormula(new)
    else:
        cell.setFormula(new)


class Opened(unohelper.Base, XJob, XServiceInfo):
    """The job of a workbook that was opened: its functions are entered as Calc spells them, and computed by this Python."""

    def __init__(self, context: Any) -> None:
        pass

    def execute(self, arguments: Any) -> Any:
        told = {a.Name: a.Value for a in arguments}
        document = {v.Name: v.Value for v in told.get("Environment", ())}.get("Model")
        if document is not None and document.supportsService("com.sun.star.sheet.SpreadsheetDocument"):
            document.UndoManager.lock()  # a reader has done nothing yet that could be undone
            try:
                if enter(document):
                    document.calculateAll()
                document.setModified(False)
            finally:
                document.UndoManager.unlock()
        return ()

    def getImplementationName(self) -> str:  # noqa: N802
        return JOB

    def supportsService(self, name: str) -> bool:  # noqa: N802
        return name == JOB

    def getSupportedServiceNames(self) -> tuple[str, ...]:  # noqa: N802
        return (JOB,)


g_ImplementationHelper = unohelper.ImplementationHelper()  # noqa: N816
for _class, _service in ((Functions, SERVICE), (Opened, JOB)):
    _own = f"{SERVICE}.{_class.__name__}" if _class is Functions else JOB
    g_ImplementationHelper.addImplementation(_class, _own, (_service,))
