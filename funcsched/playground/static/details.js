// Findings, phase boundaries and code of the selected schedule.

import { copy, count, element, rate, tokens } from "./elements.js";

const TABS = { pytorch: "PyTorch", jax: "JAX", yaml: "YAML", command: "Command line" };
const byId = (id) => document.getElementById(id);
const tabs = Object.entries(TABS).map(([key, title]) =>
  element("button", { type: "button", role: "tab", id: `tab-${key}`, "aria-controls": "panel", onclick: () => select(key) }, title));
let codes = {};
let selected = "pytorch";

byId("tabs").append(...tabs);
byId("tabs").addEventListener("keydown", (event) => {
  const keys = Object.keys(TABS);
  const at = keys.indexOf(selected);
  const target = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
  if (target === undefined) return;
  event.preventDefault();
  select(keys.at(target % keys.length));
  byId(`tab-${selected}`).focus();
});
byId("copy").addEventListener("click", () => copy(byId("copy"), codes[selected] ?? ""));
select(selected);

function select(key) {
  selected = key;
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", tab.id === `tab-${key}`);
    tab.tabIndex = tab.id === `tab-${key}` ? 0 : -1;
  }
  byId("panel").setAttribute("aria-labelledby", `tab-${key}`);
  byId("code").textContent = codes[key] ?? "";
}

// While the details do not belong to the plot yet, their code cannot be copied.
export function setDetailsBusy(isBusy) {
  byId("details").setAttribute("aria-busy", isBusy);
  byId("copy").disabled = isBusy;
}

// reply: { run, findings, code }
export function showDetails(reply) {
  codes = reply.code;
  select(selected);
  byId("findings-run").textContent = `For a run of ${count(reply.run)} updates:`;
  const items = reply.findings.map(({ severity, text }) =>
    element("li", { class: severity }, element("strong", {}, severity === "warning" ? "Warning" : "Info"), ` ${text}`));
  byId("findings").replaceChildren(...(items.length ? items : [element("li", {}, "No findings.")]));
}

export function showBoundaries(boundaries, tokensPerStep) {
  const cells = (tag, ...texts) => element("tr", {}, ...texts.filter((text) => text !== null).map((text) => element(tag, {}, text)));
  const rows = boundaries.map(([step, value]) =>
    cells("td", count(step), tokensPerStep ? tokens(step * tokensPerStep).replace(" tokens", "") : null, rate(value)));
  const head = cells("th", "Step", tokensPerStep ? "Tokens" : null, "Learning rate");
  byId("boundaries").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
  byId("boundaries").hidden = !boundaries.length;
}
