// The Node example as a process that answers requests; `tests/src/other_host.rs` describes them.
//
// Usage: node node_host.mjs EXAMPLE FOLDER, where FOLDER is what jco made of the component.

import { argv, stdin, stdout } from "node:process";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { Key, Refused, load, refuse, staticKey } = await import(pathToFileURL(resolve(argv[2], "iamseal.js")));

// The handle of a key that opens nothing.
class Handle extends Key {
  id() {
    return 0n;
  }

  open() {
    return refuse("not-authentic");
  }
}

// One for each keyring, because a plugin keeps the data keys that it was lent.
const plugins = new Map();
for await (const line of createInterface({ input: stdin })) {
  const request = JSON.parse(line);
  const lend = JSON.stringify(request.lend);
  if (!plugins.has(lend)) plugins.set(lend, await load(argv[3], keyring(request.lend)));
  stdout.write(`${JSON.stringify(answer(plugins.get(lend), request))}\n`);
}

/** What a request lends: the example's own keyring, and what that one has not. */
function keyring({ key, server, credentials = [] }) {
  const passphrase = (user, password) => ({ tag: "passphrase", val: `${user}:${password}` });
  const rootCredentials = () => credentials.map(([user, password]) => ({ user, key: passphrase(user, password) }));
  if (key !== undefined) return { ...staticKey(key), rootCredentials };
  return {
    defaultKey: () => server,
    candidates: (name) => (name === server ? [{ tag: "server", val: new Handle() }] : refuse("not-found")),
    rootCredentials,
  };
}

function answer(plugin, request) {
  const { path, store, form, policy } = request;
  try {
    if (request.do === "seal") {
      return { ok: true, stored: base64(plugin.seal(bytes(path), bytes(request.plaintext), form, store)) };
    }
    const { plaintext, found } = plugin.unseal(bytes(path), bytes(request.stored), policy, store);
    return { ok: true, plaintext: base64(plaintext), found };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, error: kind(error.error) };
    return { ok: false, error: `trap: ${error.message}` };
  }
}

function kind({ tag, val }) {
  // An error of the keyring or the store has a case of its own inside.
  const inner = val?.error ?? val;
  return inner?.tag ? `${tag}: ${inner.tag}` : tag;
}

function bytes(text) {
  return new Uint8Array(Buffer.from(text, "base64"));
}

function base64(array) {
  return Buffer.from(array).toString("base64");
}
