// One card for each schedule: what to choose, its expression, and the controls of its arguments.

import { element, swatch } from "./elements.js";

const container = document.getElementById("cards");
const cards = new Map(); // by the slot of the schedule, which is also its color
let dragged = null; // the slider that is being moved

// The options of all menus of schedules.
function menu(sections) {
  return sections.map(({ title, entries }) =>
    element("optgroup", { label: title }, ...entries.map(({ name }) => element("option", { value: name }, name))));
}

// schedules: [{ slot, text, controls, error, note, isOpen }]; actions: { choose, edit, change, select, toggle, remove }
// While changes are waiting (`isSettled` is false), the controls show what the user did, not the last reply.
export function showCards(schedules, selected, sections, isSettled, actions) {
  for (const [slot, card] of cards) {
    if (schedules.every((schedule) => schedule.slot !== slot)) {
      card.root.remove();
      cards.delete(slot);
    }
  }
  schedules.forEach((schedule, position) => {
    if (!cards.has(schedule.slot)) cards.set(schedule.slot, create(schedule.slot, sections, actions));
    const card = cards.get(schedule.slot);
    if (container.children[position] !== card.root) container.insertBefore(card.root, container.children[position] ?? null);
    update(card, schedule, position, sections, actions);
    card.root.classList.toggle("selected", schedule.slot === selected);
    card.remove.hidden = schedules.length === 1;
    if (isSettled) card.rows.forEach((each, i) => each.show(schedule.controls[i]));
  });
}

function create(slot, sections, actions) {
  const id = `schedule-${slot}`;
  const name = element("span", {});
  const toggle = element("button", { type: "button", class: "toggle", "aria-controls": `${id}-body`, onclick: () => actions.toggle(slot) },
    swatch(slot), name);
  const remove = element("button", { type: "button", class: "remove", onclick: () => actions.remove(slot) }, "Remove");
  const choice = element("select", { id: `${id}-name`, onchange: () => actions.choose(slot, choice.value) },
    element("option", { value: "" }, "custom"), ...menu(sections));
  const summary = element("p", { class: "note" });
  const text = element("textarea", {
    id: `${id}-text`, rows: 1, spellcheck: "false", autocapitalize: "off", "aria-describedby": `${id}-error`,
    oninput: () => actions.edit(slot, text.value),
    onfocus: () => actions.select(slot),
    onkeydown: (event) => event.key === "Enter" && event.preventDefault(),
  });
  const message = element("p", { class: "error" });
  const excerpt = element("pre", { class: "excerpt" });
  const error = element("div", { id: `${id}-error`, role: "alert" }, message, excerpt);
  const controls = element("div", { class: "controls", role: "group" });
  const body = element("div", { id: `${id}-body`, class: "body" }, summary, controls);
  const root = element("article", { class: "card", "aria-label": "Schedule" },
    element("h3", {}, toggle, remove),
    element("div", { class: "field" }, element("label", { for: `${id}-name` }, "Schedule"), choice),
    element("div", { class: "field stacked" }, element("label", { for: `${id}-text` }, "Expression"), text), error, body);
  return { root, body, id, slot, name, toggle, remove, choice, summary, text, message, excerpt, error, controls, rows: [], signature: "" };
}

function update(card, schedule, position, sections, actions) {
  // Without a peak learning rate and the prefix of the package.
  const name = schedule.text.split("(")[0].trim().replace(/^.*\*\s*/s, "").replace(/^(fs|funcsched)\./, "");
  const entry = sections.flatMap((section) => section.entries).find((candidate) => candidate.name === name);
  card.name.textContent = `${position + 1}. ${entry ? name : "custom"}`;
  card.root.setAttribute("aria-label", `Schedule ${position + 1}`);
  card.toggle.setAttribute("aria-expanded", schedule.isOpen);
  card.body.hidden = !schedule.isOpen;
  card.remove.setAttribute("aria-label", `Remove schedule ${position + 1}`);
  card.choice.value = entry ? name : "";
  card.summary.textContent = schedule.note || entry?.summary || "";
  if (card.text.value !== schedule.text) card.text.value = schedule.text;
  fitHeight(card.text);
  card.text.setAttribute("aria-invalid", Boolean(schedule.error));
  card.message.textContent = schedule.error?.message ?? "";
  card.excerpt.textContent = schedule.error?.excerpt ?? "";
  card.controls.setAttribute("aria-label", `Arguments of schedule ${position + 1}`);
  const signature = JSON.stringify(schedule.controls.map(({ name, kind, choices, optional }) => [name, kind, choices, optional]));
  if (signature !== card.signature) {
    card.signature = signature;
    card.rows = schedule.controls.map((control) => row(card, control, actions));
    card.controls.replaceChildren(...card.rows.flatMap(({ nodes }) => nodes));
    card.rows.forEach((each, i) => each.show(schedule.controls[i]));
  }
}

function fitHeight(text) {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}
window.addEventListener("resize", () => cards.forEach(({ text }) => fitHeight(text)));

// The nodes of a control, and a function that shows its current value.
function row(card, control, actions) {
  const { name, kind, optional, choices } = control;
  const id = `${card.id}-${name}`;
  const change = (value) => actions.change(card.slot, name, value);
  const label = element("label", { for: id }, name);
  if (kind === "bool") {
    const box = element("input", { id, type: "checkbox", onchange: () => change(box.checked ? "True" : "False") });
    return { nodes: [label, box], show: ({ value }) => (box.checked = value) };
  }
  if (kind === "choice") {
    const options = choices.map((text) => element("option", { value: text }, text.replaceAll("'", "")));
    const select = element("select", { id, class: "wide", onchange: () => change(select.value) }, ...options);
    return { nodes: [label, select], show: ({ value }) => (select.value = value) };
  }
  const field = element("input", {
    id, class: kind === "text" ? "wide" : "", inputmode: kind === "text" ? "text" : "decimal", spellcheck: "false",
    placeholder: optional ? "None" : "", autocomplete: "off",
    oninput: () => (field.value.trim() || optional) && change(field.value.trim() || "None"),
    onblur: () => field.value.trim() || (field.value = latest.value ?? ""), // an empty field changes nothing
  });
  let latest = control;
  const showField = (current) => {
    latest = current;
    if (document.activeElement !== field) field.value = current.value ?? "";
  };
  if (kind === "text") return { nodes: [label, field], show: showField };
  // The range of a slider that is being moved stays; it is adapted afterwards.
  const showSlider = () => {
    if (dragged === slider) return;
    [slider.min, slider.max, slider.step] = [latest.low, latest.high, latest.step];
    slider.value = latest.value ?? latest.low;
  };
  const release = () => {
    if (dragged !== slider) return;
    dragged = null;
    showSlider();
  };
  const slider = element("input", {
    type: "range", "aria-label": `${name}, slider`,
    oninput: () => {
      field.value = slider.value;
      change(slider.value);
    },
    onpointerdown: () => (dragged = slider),
    onpointerup: release, onpointercancel: release, onblur: release,
  });
  const show = (current) => {
    showField(current);
    showSlider();
  };
  return { nodes: [label, slider, field], show };
}
