"""Opens a workbook in LibreOffice, gives its Basic something to call, recalculates and tells the cells. Run by a Python with `uno`.

    python libreoffice.py WORKBOOK PROFILE CELL ...

Each call goes out as a line of JSON and its answer comes in as one; last go out the cells' texts and numbers.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import uno
import unohelper
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.lang import DisposedException
from com.sun.star.sheet import XFunctionAccess


class Calls(unohelper.Base, XFunctionAccess):
    def callFunction(self, name, arguments):  # noqa: N802
        print(json.dumps([name, arguments]), flush=True)
        return tupled(json.loads(sys.stdin.readline()))


def tupled(value):
    return tuple(map(tupled, value)) if isinstance(value, list) else value


@contextmanager
def running(profile):
    """A LibreOffice of its own profile: the process, and the context of its components.

    It is asked to end before it is killed: killed, it would start twice the next time.
    """
    context = None
    pipe = f"lm_xl{os.getpid()}"
    office = subprocess.Popen(
        ["soffice", "--headless", "--norestore", f"-env:UserInstallation=file://{profile}", f"--accept=pipe,name={pipe};urp;"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        local = uno.getComponentContext()
        resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
        for _ in range(240):
            try:
                context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
                break
            except NoConnectException:
                time.sleep(0.25)
        yield office, context
    finally:
        try:
            desktop_of(context).terminate()
            office.wait(20)
        except (AttributeError, DisposedException, subprocess.TimeoutExpired):
            os.killpg(office.pid, signal.SIGKILL)
            office.wait()


def desktop_of(context):
    return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)


def opened(context, url):
    options = [
        PropertyValue(Name="Hidden", Value=True),
        PropertyValue(Name="MacroExecutionMode", Value=4),
    ]
    return desktop_of(context).loadComponentFromURL(url, "_blank", 0, options)


def main(path, profile, cells):
    with running(profile) as (_, context):
        book = opened(context, f"file://{path}")
        hold = "vnd.sun.star.script:VBAProject.xlwings.Hold?language=Basic&location=document"
        book.getScriptProvider().getScript(hold).invoke((Calls(),), (), ())
        book.calculateAll()
        sheet = book.Sheets.getByIndex(0)
        found = {c: (sheet.getCellRangeByName(c).String, sheet.getCellRangeByName(c).Value) for c in cells}
        print(json.dumps(["", found]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
