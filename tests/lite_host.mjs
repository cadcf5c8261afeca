// Runs lite_host.py in Pyodide: node lite_host.mjs FOLDER LITE_HOST MAIN QUESTIONS PACKAGE ...
// FOLDER holds Pyodide and its wheels, each of which it checks against its lock. Prints what lite_host prints, and more steps.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, host, main, questions, ...packages] = process.argv.slice(2);
const steps = {};
async function timed(step, work) {
  const begun = performance.now();
  const done = await work();
  steps[step] = (performance.now() - begun) / 1000;
  return done;
}
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const pyodide = await timed("Pyodide", () => loadPyodide({ indexURL: folder, stdout: () => {} }));
for (const name of packages)
  await timed(`load ${name}`, () => pyodide.loadPackage(name, { messageCallback: () => {} }));
pyodide.FS.writeFile("/home/pyodide/lite_host.py", readFileSync(host));
const run = pyodide.runPython(`
import json, sys
sys.path.insert(0, "/home/pyodide")
import lite_host
def run(source, questions):
    from importlib.metadata import version
    about = lambda: {"versions": {n: version(n) for n in ${JSON.stringify(packages)}}, "python": sys.version.split()[0]}
    return json.dumps(lite_host.answers(source, json.loads(questions), about))
run`);
for (const name of packages)
  await timed(`import ${name}`, () => pyodide.runPython(`import ${name}`));
const told = JSON.parse(run(readFileSync(main, "utf8"), readFileSync(questions, "utf8")));
told.steps = { ...steps, ...told.steps };
told.heap = pyodide._module.HEAP8.length;
told.pyodide = pyodide.version;
console.log(JSON.stringify(told));
