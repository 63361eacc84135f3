// Runs the iamseal component in Node.js: seals and opens single objects under one key.
//
// The host lends keys and random bytes and nothing else: a call that reaches for a store or a key
// service ends in an error. JavaScript cannot wipe memory, so keys and plaintext stay in it for as long
// as it pleases. Node limits neither the memory nor the time of a component: where objects may be
// hostile, run this in a worker and end it after a while.

import { argv, env, exit, stdin, stdout } from "node:process";
import { randomFillSync } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

// How each form is written.
const FORMS = { minio: { tag: "minio", val: {} }, compact: { tag: "compact" }, rustfs: { tag: "rustfs" } };
// More random bytes than the component ever asks for at once.
const RANDOM = 64 << 10;

/** The component refused the object. `error` is the `error` of wit/types.wit: `tag` and `val`. */
export class Refused extends Error {
  constructor(error) {
    super(error.val === undefined ? error.tag : `${error.tag}: ${inspect(error.val)}`);
    this.error = error;
  }
}

/** A keyring (wit/keyring.wit), which lends the bytes of one key: `NAME:BASE64`, as in MINIO_KMS_SECRET_KEY. */
export function staticKey(setting) {
  const [, name, base64] = /^(.*):([^:]*)$/s.exec(setting) ?? [];
  const key = Buffer.from(base64 ?? "", "base64");
  if (key.length !== 32 || key.toString("base64") !== base64) throw new Error("a key is NAME:BASE64, of 32 bytes");
  return {
    defaultKey: () => name,
    candidates: (asked) => (asked === name ? [{ tag: "secret", val: new Uint8Array(key) }] : refuse("not-found")),
    rootCredentials: () => [],
  };
}

/** What a keyring of bytes has no handles of. */
export class Key {}
export class RootKey {}

/** The error case of a result: jco takes it from what a host's function throws. */
export function refuse(tag, val) {
  throw { tag, val };
}

/** Loads the component from the folder that `transpile.js` wrote. */
export async function load(folder, keyring) {
  const { instantiate } = await import(pathToFileURL(resolve(folder, "iamseal.js")));
  const modules = new Map();
  const compiled = (file) => {
    if (!modules.has(file)) modules.set(file, new WebAssembly.Module(readFileSync(resolve(folder, file))));
    return modules.get(file);
  };
  // jco drops the versions from the names of imports.
  const lent = {
    "iamseal:plugin/keyring": { Key, RootKey, ...keyring },
    "iamseal:plugin/diagnostics": { panicked },
    "wasi:random/random": { getRandomBytes },
    "iamseal:plugin/key-maker": { make: deny },
    "iamseal:plugin/storage": { list: deny, read: deny, Cursor: class {} },
    "iamseal:plugin/storage-writer": { stage: deny, commit: deny, Draft: class {} },
  };
  let instance;
  const call = (action) => {
    try {
      instance ??= instantiate(compiled, lent);
      return action(instance);
    } catch (error) {
      if (Object.hasOwn(error, "payload")) throw new Refused(error.payload);
      // After a trap an instance must not be called again; the next call gets a new one.
      instance = undefined;
      throw error;
    }
  };
  return {
    /** Seals bytes for a path (bytes) under the keyring's default key; `form` may be `compact`, or `rustfs` under its first
        root credential. */
    seal: (path, plaintext, form = "minio", store = "") =>
      call(({ sealing }) => sealing.seal({ store, path }, plaintext, { form: FORMS[form] })),
    /** Opens an object: `plaintext`, and what it was (`found` in wit/types.wit). */
    unseal: (path, stored, policy = "sealed", store = "") =>
      call(({ opening }) => opening.unseal({ store, path }, stored, policy)),
  };
}

function panicked(message) {
  throw new Error(`the component panicked: ${message}`);
}

function getRandomBytes(size) {
  if (size > RANDOM) throw new Error(`the component asks for ${size} random bytes`);
  return randomFillSync(new Uint8Array(Number(size)));
}

function deny() {
  throw new Error("the component reaches for what this host does not lend");
}

async function main([folder, action, path]) {
  if (path === undefined || !["seal", "unseal"].includes(action)) {
    throw new Error("usage: node iamseal.js FOLDER seal|unseal PATH, with MINIO_KMS_SECRET_KEY=NAME:BASE64");
  }
  const plugin = await load(folder, staticKey(env.MINIO_KMS_SECRET_KEY ?? ""));
  const [at, given] = [Buffer.from(path), await buffer(stdin)];
  stdout.write(action === "seal" ? plugin.seal(at, given) : plugin.unseal(at, given).plaintext);
}

// Whether Node was started with this file; through a link too, whose target is what Node loads.
function isProgram() {
  try {
    return import.meta.url === pathToFileURL(realpathSync(argv[1])).href;
  } catch {
    return false; // Node was started with no file.
  }
}

if (isProgram()) {
  main(argv.slice(2)).catch((error) => {
    console.error(`iamseal: ${error.message}`);
    exit(1);
  });
}
