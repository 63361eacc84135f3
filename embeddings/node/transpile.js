// Turns a component into JavaScript and core modules, as `jco transpile --instantiation sync` does:
// node transpile.js COMPONENT FOLDER

import { argv, exit } from "node:process";
import { transpile, writeFiles } from "@bytecodealliance/jco-transpile";

const [component, outDir] = argv.slice(2);
if (outDir === undefined) {
  console.error("usage: node transpile.js COMPONENT FOLDER");
  exit(1);
}
const { files } = await transpile(component, {
  name: "iamseal",
  instantiation: "sync",
  // An error of the component is thrown as `payload` of an Error, which tells it from a trap.
  noComponentErrorWrapping: false,
  outDir,
});
await writeFiles(files);
