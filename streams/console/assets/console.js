// Pages are complete without this. It keeps what they show up to date, filters while one types, and adds keys.
"use strict";

const live = () => document.getElementById("live");
const filter = document.getElementById("filter");
const pulse = document.getElementById("pulse");
let asked = null;

// Takes the same page from the server and puts its live part in place of this one's.
async function refresh(address) {
  asked?.abort();
  const asking = (asked = new AbortController());
  let page;
  try {
    const answer = await fetch(address, { signal: asking.signal, headers: { Accept: "text/html", "X-Live": "1" } });
    if (answer.redirected) return location.assign(answer.url);
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch (error) {
    if (error.name !== "AbortError") state("off");
    return;
  }
  const fresh = page.getElementById("live");
  if (!fresh) return;
  const before = new Set(rows().map((row) => row.dataset.key));
  const focused = document.activeElement?.dataset?.key;
  const open = new Set([...live().querySelectorAll("details[open]")].map((one) => one.id));
  live().replaceWith(document.adoptNode(fresh));
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  const list = rows();
  if (before.size) for (const row of list) if (!before.has(row.dataset.key)) row.classList.add("fresh");
  if (focused) list.find((row) => row.dataset.key === focused)?.focus({ preventScroll: true });
}

const rows = () => [...live().querySelectorAll("a[data-key]")];

function state(name) {
  if (!pulse) return;
  pulse.className = `pulse ${name}`;
  const text = document.body.dataset[{ on: "live", off: "offline" }[name] ?? "connecting"];
  if (pulse.textContent !== text) pulse.textContent = text;
}

// What changes comes as a number, at most twice a second; what it changes is asked for once at a time.
if (pulse) {
  let running = false;
  let again = false;
  const update = async () => {
    if (running || document.hidden) return void (again = true);
    running = true;
    again = false;
    await refresh(location.href);
    running = false;
    if (again) setTimeout(update, 500);
  };
  document.addEventListener("visibilitychange", () => again && update());
  const events = new EventSource("/live");
  events.onopen = () => state("on");
  events.onerror = () => state("off");
  events.onmessage = (event) => {
    state("on");
    if (event.data !== live().dataset.version) update();
  };
}

// Everything that is given goes into the address, so that it can be kept and shared.
if (filter) {
  const apply = () => {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(filter)) if (value.trim()) query.set(name, value);
    const address = `${filter.getAttribute("action")}?${query}`;
    history.replaceState(null, "", address);
    refresh(address);
  };
  filter.addEventListener("input", apply);
  filter.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input, select, textarea");
  const search = document.querySelector("[data-search]");
  if (event.key === "Escape") {
    if (field) field.blur();
    else if (document.querySelector("[data-back]")) {
      if (document.referrer.startsWith(location.origin) || history.length > 1) history.back();
      else location.assign("/");
    } else document.activeElement?.blur();
  } else if (field) {
    return;
  } else if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "j" || event.key === "k") {
    const list = rows();
    const at = list.indexOf(document.activeElement);
    const next = event.key === "j" ? Math.min(at + 1, list.length - 1) : Math.max(at - 1, 0);
    list[next]?.focus();
    list[next]?.scrollIntoView({ block: "nearest" });
  }
});
