"""A LibreOffice Calc with the add-in, told by lines of JSON what to do. Run by a Python with `uno`, in no active environment.

    python calc.py PROFILE [EXTENSION]

Each line is a list, a command and its arguments; each answer is a line. The extension is installed first, as the Extension Manager does it.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import unohelper
from com.sun.star.beans import PropertyValue
from com.sun.star.task import XInteractionHandler
from com.sun.star.ucb import XCommandEnvironment
from libreoffice import opened, running

FILTERS = {"ods": "calc8", "xlsx": "Calc MS Excel 2007 XML"}
FORMULAS = 16


class Approve(unohelper.Base, XInteractionHandler):
    def handle(self, request):
        request.getContinuations()[0].select()  # install, or abort


class Environment(unohelper.Base, XCommandEnvironment):
    def getInteractionHandler(self):  # noqa: N802
        return Approve()

    def getProgressHandler(self):  # noqa: N802
        return None


def install(context, path):
    manager = context.getByName("/singletons/com.sun.star.deployment.ExtensionManager")
    manager.addExtension(f"file://{path}", (), "user", manager.createAbortChannel(), Environment())


class Calc:
    def __init__(self, office, context):
        self._office, self._context, self._book = office, context, None

    def open(self, path):
        if self._book is not None:
            self._book.close(True)
        self._book = opened(self._context, f"file://{path}")

    def cell(self, sheet, address):
        return self._book.Sheets.getByName(sheet).getCellRangeByName(address)

    def read(self, sheet, address):
        """The formula, the text, and the number of a cell or, where its formula has text, None."""
        cell = self.cell(sheet, address)
        text = cell.String
        number = cell.Value if not cell.getError() and cell.FormulaResultType2 == 1 else None
        return cell.getFormula(), text, number

    def formulas(self):
        """Each cell with a formula: sheet, row and column from 1, text, number or None."""
        found = []
        for sheet in self._book.Sheets:
            for area in sheet.queryContentCells(FORMULAS):
                at = area.RangeAddress
                for row in range(at.EndRow - at.StartRow + 1):
                    for column in range(at.EndColumn - at.StartColumn + 1):
                        cell = area.getCellByPosition(column, row)
                        number = cell.Value if not cell.getError() and cell.FormulaResultType2 == 1 else None
                        place = (at.StartRow + row + 1, at.StartColumn + column + 1)
                        found.append((sheet.Name, *place, cell.String, number))
        return found

    def enter(self, sheet, address, formula):
        if not self._book.Sheets.hasByName(sheet):
            self._book.Sheets.insertNewByName(sheet, self._book.Sheets.Count)
        if ":" in address:
            self.cell(sheet, address).setArrayFormula(formula)
        else:
            self.cell(sheet, address).setFormula(formula)

    def completed(self, sheet, address):
        """The formula of a cell that was read, once the add-in has named its model; as it stands where it does not."""
        for _ in range(100):
            if "Model" in self.read(sheet, address)[0]:
                break
            time.sleep(0.1)
        return self.read(sheet, address)

    def computed(self, sheet, address):
        """A cell that was read, once it shows no error; as it stands where that lasts."""
        for _ in range(100):
            if not self.cell(sheet, address).getError():
                break
            time.sleep(0.1)
        return self.read(sheet, address)

    def undo(self):
        self._book.UndoManager.undo()

    def copy(self, sheet, name):
        self._book.Sheets.copyByName(sheet, name, self._book.Sheets.Count)

    def save(self, path):
        kind = PropertyValue(Name="FilterName", Value=FILTERS[path.rpartition(".")[2]])
        self._book.storeToURL(f"file://{path}", (kind,))

    def help(self, name):
        known = "com.sun.star.sheet.FunctionDescriptions"
        functions = self._context.ServiceManager.createInstanceWithContext(known, self._context)
        told = {p.Name: p.Value for p in functions.getByName(name)}
        return told["Description"], [[a.Name, a.Description] for a in told["Arguments"] or ()]

    def stop_python(self):
        """End the Python behind the functions, and nothing else."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                started = process.joinpath("cmdline").read_bytes()
                ours = os.getpgid(int(process.name)) == self._office.pid
            except OSError:  # it has ended in the meantime
                continue
            if ours and b"oxt.worker" in started:
                os.kill(int(process.name), signal.SIGKILL)
                return
        raise LookupError("no Python answers")


def main(profile, extension=None):
    if extension:
        with running(profile) as (_, context):
            install(context, extension)
            opened(context, "private:factory/scalc").close(
                True
            )  # it is done when another request is answered
    with running(profile) as (office, context):
        calc = Calc(office, context)
        for line in sys.stdin:
            command, *arguments = json.loads(line)
            try:
                answer = getattr(calc, command)(*arguments)
            except Exception as error:
                answer = {"fault": f"{command} {arguments}: {error!r}"}
            print(json.dumps(answer), flush=True)


main(*sys.argv[1:])
