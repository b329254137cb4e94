// The state of the page, its address, and the requests for curves and details.

import { ask, home } from "./engine.js";
import { draw } from "./chart.js";
import { showCards } from "./cards.js";
import { setDetailsBusy, showBoundaries, showDetails } from "./details.js";
import { copy, count, element, rate, swatch } from "./elements.js";

const MAX_SCHEDULES = 6;
const WAITING_DELAY = 400; // ms until the page says that it waits
const DETAILS_DELAY = 250; // ms without a change until findings and code are computed
const byId = (id) => document.getElementById(id);
const form = byId("settings");

let sections = []; // of the catalogue
let defaults = {}; // of the settings
let schedules = []; // [{ slot, text, curve: the last valid one, error, isOpen: whether its controls are shown }]
let selected = 0; // the slot of the selected schedule
let settings = {};
let axes = null; // of the last valid plot
const changes = []; // of arguments, that are not yet requested
let isStale = false;
let isBusy = false;
let detailsTimer = 0;
let version = 0; // of what the details have to show

// The address of the page: its hash has the same names as the settings.

function readAddress() {
  const query = new URLSearchParams(location.hash.slice(1));
  const texts = query.getAll("e").slice(0, MAX_SCHEDULES);
  settings = { ...defaults };
  for (const name of Object.keys(defaults)) {
    if (query.has(name)) settings[name] = typeof defaults[name] === "boolean" ? query.get(name) === "1" : query.get(name);
  }
  if (!texts.length) texts.push(sections[0].entries[0].expression);
  selected = Math.min(Math.max(Number.parseInt(query.get("selected"), 10) - 1 || 0, 0), texts.length - 1);
  schedules = texts.map((text, slot) => ({ slot, text, curve: null, error: null, isOpen: slot === selected }));
  axes = null;
  changes.length = 0;
  for (const field of form.elements) {
    if (field.name in settings) field[field.type === "checkbox" ? "checked" : "value"] = settings[field.name];
  }
}

function address() {
  const query = new URLSearchParams(schedules.map(({ text }) => ["e", text]));
  const position = schedules.findIndex(({ slot }) => slot === selected);
  if (position > 0) query.set("selected", position + 1);
  for (const [name, value] of Object.entries(settings)) {
    if (value !== defaults[name]) query.set(name, typeof value === "boolean" ? Number(value) : value);
  }
  return `#${query}`;
}

// Requests: one at a time. What changes meanwhile is requested next.

async function refresh() {
  isStale = true;
  version += 1;
  setDetailsBusy(true);
  if (isBusy) return;
  isBusy = true;
  const waiting = setTimeout(() => showStatus("Loading Python\u00a0…"), WAITING_DELAY);
  try {
    while (isStale || changes.length) {
      isStale = false;
      await update(changes.shift() ?? null);
    }
    showStatus("");
  } catch (error) {
    showStatus(`The playground cannot compute: ${error.message}`);
  } finally {
    clearTimeout(waiting);
    isBusy = false;
  }
}

async function update(change) {
  const requested = [...schedules];
  const texts = requested.map(({ text }) => text);
  const request = { kind: "curves", expressions: texts, ...settings };
  const index = change ? requested.findIndex(({ slot }) => slot === change.slot) : -1;
  if (index >= 0) request.change = { index, name: change.name, value: change.value };
  const reply = await ask(request);
  if (reply.failure) throw new Error(reply.failure);
  for (const name of ["peak", "run", "tokens_per_step", "log_rates"]) showSettingError(name, reply.errors?.[name]);
  if (!reply.errors) {
    form.elements.run.placeholder = `auto: ${count(reply.run)}`;
    reply.curves.forEach((curve, i) => {
      if (requested[i].text !== texts[i]) return; // it was edited meanwhile
      requested[i].error = curve.error ?? null;
      if (curve.error) return;
      requested[i].curve = curve;
      if (i === index) requested[i].text = curve.expression;
    });
    if (reply.curves.some((curve) => !curve.error)) axes = { x: reply.x, y: reply.y };
  }
  show();
  history.replaceState(null, "", address());
  clearTimeout(detailsTimer);
  detailsTimer = setTimeout(updateDetails, DETAILS_DELAY);
}

async function updateDetails() {
  const position = schedules.findIndex(({ slot }) => slot === selected);
  const request = { kind: "details", expressions: schedules.map(({ text }) => text), selected: position, ...settings };
  const requested = version;
  const reply = await ask(request);
  if (requested !== version) return; // newer details follow
  if (reply.code) showDetails(reply); // an invalid expression or setting leaves those of the last valid one
  setDetailsBusy(false);
}

function showStatus(text) {
  byId("status").hidden = !text;
  byId("status").textContent = text;
}

function showSettingError(name, message) {
  byId(`${name}-error`).textContent = message ?? "";
  if (form.elements[name].type !== "checkbox") form.elements[name].setAttribute("aria-invalid", Boolean(message));
}

function show() {
  const cards = schedules.map(({ curve, ...schedule }) => ({ ...schedule, note: curve?.note ?? "", controls: curve?.controls ?? [] }));
  showCards(cards, selected, sections, !isStale && !changes.length, actions);
  byId("add").disabled = schedules.length >= MAX_SCHEDULES;
  byId("details-title").textContent = `Details of schedule ${schedules.findIndex(({ slot }) => slot === selected) + 1}`;
  byId("log-horizontal").textContent = settings.unit;
  showLegend();
  const valid = schedules.filter(({ curve }) => curve);
  showPeak(valid.length === schedules.length && valid.every(({ curve }) => curve.has_own_peak));
  const tokensPerStep = settings.unit === "tokens" ? Number(settings.tokens_per_step.replaceAll("_", "")) : null;
  showBoundaries(schedules.find(({ slot }) => slot === selected)?.curve?.boundaries ?? [], tokensPerStep);
  if (axes) draw({ ...axes, curves: valid.map(({ slot, curve }) => ({ index: slot, ...curve })), selected, tokensPerStep });
}

// If all schedules have their own peak, the field shows that of the selected one, and the setting is not used.
function showPeak(isOwn) {
  const field = form.elements.peak;
  if (isOwn) field.value = rate(find(selected).curve.peak);
  else if (field.disabled) field.value = settings.peak;
  field.disabled = isOwn;
  field.title = isOwn ? "Every schedule shown has its own peak learning rate" : "";
}

function showLegend() {
  byId("legend").replaceChildren(...schedules.map(({ slot, text, curve, error }) => {
    const note = error ? " (invalid)" : curve?.recipe ? ` (peak ${rate(curve.peak)})` : "";
    return element("li", {}, swatch(slot), element("span", {}, text + note));
  }));
}

const find = (slot) => schedules.find((schedule) => schedule.slot === slot);

const actions = {
  choose(slot, name) {
    const entry = sections.flatMap(({ entries }) => entries).find((candidate) => candidate.name === name);
    if (entry) actions.edit(slot, entry.expression);
  },
  edit(slot, text) {
    find(slot).text = text;
    selected = slot;
    refresh();
  },
  change(slot, name, value) {
    const last = changes.at(-1);
    if (last?.slot === slot && last.name === name) last.value = value;
    else changes.push({ slot, name, value });
    refresh();
  },
  select(slot) {
    if (slot === selected) return;
    selected = slot;
    find(slot).isOpen = true;
    refresh();
  },
  toggle(slot) {
    if (slot !== selected) return actions.select(slot);
    find(slot).isOpen = !find(slot).isOpen;
    refresh();
  },
  remove(slot) {
    schedules = schedules.filter((schedule) => schedule.slot !== slot);
    if (selected === slot) selected = schedules[0].slot;
    refresh();
    byId("add").focus();
  },
};

function add() {
  const slot = [...Array(MAX_SCHEDULES).keys()].find((number) => !find(number));
  const recipes = sections[0].entries;
  const unused = recipes.find(({ name }) => schedules.every(({ text }) => !text.startsWith(`${name}(`))) ?? recipes[0];
  schedules.push({ slot, text: unused.expression, curve: null, error: null, isOpen: true });
  selected = slot;
  refresh();
}

function readSettings(event) {
  const field = event.target;
  settings[field.name] = field.type === "checkbox" ? field.checked : field.value.trim();
  refresh();
}

async function start() {
  ({ sections, settings: defaults } = await ask({ kind: "catalogue" }));
  readAddress();
  showLegend();
  form.addEventListener("input", readSettings);
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("add").addEventListener("click", add);
  byId("link").addEventListener("click", () => copy(byId("link"), location.href));
  window.addEventListener("hashchange", () => {
    readAddress();
    refresh();
  });
  await refresh();
  document.documentElement.dataset.ready = "true";
}

if (home) {
  byId("home").href = home;
  byId("home").hidden = false;
}
start().catch((error) => showStatus(`The playground cannot start: ${error.message}`));
