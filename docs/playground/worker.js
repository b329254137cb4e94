// Loads Python and the library, and answers requests. All files are beside this one.

import { loadPyodide } from "./pyodide/pyodide.mjs";

async function load() {
  const [pyodide, library] = await Promise.all([
    loadPyodide(),
    fetch(new URL("library.zip", import.meta.url)).then((response) => response.arrayBuffer()),
  ]);
  pyodide.unpackArchive(library, "zip");
  return pyodide.pyimport("funcsched.playground.answer").answer_text;
}

const ready = load();
onmessage = async ({ data }) => {
  try {
    postMessage((await ready)(data));
  } catch (error) {
    postMessage(JSON.stringify({ failure: String(error.message).trim().split("\n").at(-1) }));
  }
};
