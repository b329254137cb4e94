// Asks the Python library, which runs in a worker of this page. The replies for the page without parameters are in a
// file, so that it is complete before Python is loaded.

export const home = "../docs/index.html";

const LOAD_DELAY = 300; // ms, so that loading Python does not slow down the first view
const prepared = fetch(new URL("prepared.json", import.meta.url)).then((response) => response.json());
const waiting = []; // for the replies, which come in the order of the requests
let worker = null;
let failure = null;

function load() {
  if (worker) return;
  worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => waiting.shift().resolve(JSON.parse(data));
  worker.onerror = (event) => {
    failure = new Error(event.message || "Python is not on this site; python -m docs.playground SITE adds it");
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
}

prepared.then(() => setTimeout(load, LOAD_DELAY));

export async function ask(request) {
  const text = JSON.stringify(request);
  const replies = await prepared;
  if (text in replies) return replies[text];
  if (failure) throw failure;
  load();
  return new Promise((resolve, reject) => {
    waiting.push({ resolve, reject });
    worker.postMessage(text);
  });
}
