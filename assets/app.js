// What pages do more with a script than without: nothing here is needed to use them.

// A form that carries a SAML message goes on by itself; its button is there for everyone else.
const onward = document.querySelector("form[data-submit]");
if (onward) onward.submit();

// Times are in UTC; here they stand in the zone of whoever reads, with UTC on hover.
const localTimes = (root) => {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.textContent;
    // Swedish writes year, month, day and the time as we do.
    time.textContent = at.toLocaleString("sv-SE");
  }
};
localTimes(document);

// Copy buttons show where the browser can copy.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.copied ?? label;
      setTimeout(() => (button.textContent = label), 2000);
    });
  }
}

// A box that ticks every box of its table or department.
for (const all of document.querySelectorAll("input[data-all]")) {
  const boxes = [...document.querySelectorAll(`input[data-of="${CSS.escape(all.dataset.all)}"]`)];
  all.closest("[hidden]")?.removeAttribute("hidden");
  all.addEventListener("change", () => {
    for (const box of boxes) if (!box.disabled) box.checked = all.checked;
  });
}

// A slash leads to the search field, as long as nobody is writing anything.
const slash = document.querySelector("[data-slash]");
if (slash) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    slash.focus();
    slash.select();
  });
}

// A list with work under way looks again by itself: only the list is exchanged, and not while
// somebody is at it. Its status is told politely to screen readers.
const look = async (list) => {
  const seconds = Number(list.dataset.refreshSeconds);
  await new Promise((done) => setTimeout(done, seconds * 1000));
  if (list.contains(document.activeElement) || list.querySelector(":popover-open")) return look(list);
  const answer = await fetch(location.href).catch(() => null);
  if (answer?.redirected) return location.reload();
  if (!answer?.ok) return look(list);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const sections = (of) => [...of.querySelectorAll("main section")];
  const fresh = page.querySelector("[data-refresh-seconds]") ?? sections(page)[sections(document).indexOf(list)];
  if (!fresh) return location.reload();
  localTimes(fresh);
  list.replaceWith(fresh);
  const status = document.querySelector("[data-progress]");
  const now = page.querySelector("[data-progress]")?.textContent ?? "";
  if (status && status.textContent !== now) status.textContent = now;
  if (fresh.dataset.refreshSeconds) look(fresh);
};
const busy = document.querySelector("[data-refresh-seconds]");
if (busy) look(busy);

// Rows of a form that are not needed yet wait until somebody asks for one more.
const sheet = document.querySelector("table[data-sheet]");
if (sheet) {
  const spare = () => sheet.querySelectorAll("tr[data-spare][hidden]");
  for (const row of sheet.querySelectorAll("tr[data-spare]")) row.hidden = true;
  const more = document.querySelector("button[data-add-row]");
  const show = () => {
    const [row] = spare();
    if (row) row.hidden = false;
    more.disabled = spare().length === 0;
    return row;
  };
  more.hidden = spare().length === 0;
  more.addEventListener("click", () => show()?.querySelector("input").focus());
  // What is copied out of a spreadsheet comes as lines of cells with tabs between them.
  sheet.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain");
    if (!/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    const rows = [...sheet.querySelectorAll("tbody tr")].filter((row) => row.querySelector("input"));
    const first = rows.indexOf(event.target.closest("tr"));
    const column = [...rows[first].querySelectorAll("input")].indexOf(event.target);
    const lines = text.replace(/\r/g, "").replace(/\n+$/, "").split("\n");
    lines.slice(0, rows.length - first).forEach((line, down) => {
      const row = rows[first + down];
      row.hidden = false;
      const inputs = [...row.querySelectorAll("input")];
      line.split("\t").forEach((cell, across) => {
        if (inputs[column + across]) inputs[column + across].value = cell.trim();
      });
    });
    more.disabled = spare().length === 0;
  });
}

// What a script makes needless, and what is of use with one only.
for (const it of document.querySelectorAll("[data-without-script]")) it.hidden = true;
for (const it of document.querySelectorAll("[data-with-script]")) it.hidden = false;

// A name is looked at while it is typed.
const checked = document.querySelector("form[data-check]");
if (checked) {
  const field = checked.elements[checked.dataset.checkField];
  const into = document.getElementById(checked.dataset.checkInto);
  let turn = 0;
  let waiting;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    const mine = ++turn;
    waiting = setTimeout(async () => {
      const name = field.value.trim();
      if (!name) return into.replaceChildren();
      const answer = await fetch(`${checked.dataset.check}?name=${encodeURIComponent(name)}`);
      const text = await answer.text();
      if (answer.ok && mine === turn) into.innerHTML = text;
    }, 300);
  });
}

// How many boxes of a form are ticked, beside what can be done with them; nothing can with none, or
// with too many.
for (const bar of document.querySelectorAll("[data-chosen]")) {
  const form = bar.closest("form");
  const needs = [...bar.querySelectorAll("[data-chosen-needs]")];
  const none = bar.querySelector("[data-chosen-none]");
  const most = Number(bar.dataset.chosenMost || Infinity);
  const count = () => {
    const boxes = form.querySelectorAll(`input[name="${CSS.escape(bar.dataset.chosen)}"]`);
    const ticked = [...boxes].filter((box) => box.checked && !box.disabled).length;
    bar.querySelector("[data-chosen-count]").textContent = ticked;
    for (const button of needs) button.disabled = ticked === 0 || ticked > most;
    if (none) none.hidden = ticked > 0;
  };
  form.addEventListener("change", count);
  // Going back brings ticks back without an event.
  addEventListener("pageshow", count);
  count();
}

// With Shift a click ticks every box from the last one that was clicked.
let lastBox = null;
document.addEventListener("click", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || box.type !== "checkbox" || !box.name) return;
  if (event.shiftKey && lastBox?.isConnected && lastBox.name === box.name && lastBox.form === box.form) {
    const boxes = [...box.form.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(box.name)}"]`)];
    const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((one, other) => one - other);
    for (const between of boxes.slice(from, to + 1)) {
      if (!between.disabled) between.checked = box.checked;
    }
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }
  lastBox = box;
});

// Arrow keys go through a tree: up and down over what is in sight, left and right close and open.
for (const tree of document.querySelectorAll("[data-tree]")) {
  tree.addEventListener("keydown", (event) => {
    const stops = [...tree.querySelectorAll("summary, input[type=checkbox]")].filter(
      (stop) => stop.getClientRects().length > 0,
    );
    const at = stops.indexOf(document.activeElement);
    if (at < 0) return;
    const here = stops[at];
    const branch = here.closest("details");
    const moves = { ArrowDown: stops[at + 1], ArrowUp: stops[at - 1], Home: stops[0], End: stops.at(-1) };
    if (event.key in moves) {
      moves[event.key]?.focus();
    } else if (event.key === "ArrowRight" && here.tagName === "SUMMARY") {
      branch.open = true;
    } else if (event.key === "ArrowLeft") {
      if (here.tagName === "SUMMARY" && branch.open) branch.open = false;
      else (here.tagName === "SUMMARY" ? branch.parentElement.closest("details") : branch)?.querySelector("summary").focus();
    } else {
      return;
    }
    event.preventDefault();
  });
}

// What goes on while one looks at it: that part of the page is asked for again until it is over.
const lookAgain = async () => {
  const part = document.querySelector("#live[data-live-seconds]");
  if (!part) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (answer?.redirected) return location.reload();
  if (answer?.ok) {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#live");
    const said = part.querySelector("[role=status]");
    const says = fresh?.querySelector("[role=status]");
    const focused = document.activeElement?.closest("#live");
    if (fresh && !focused) {
      // The words stay the same element, so that they are announced, and only when they change.
      if (said && says && said.textContent !== says.textContent) said.innerHTML = says.innerHTML;
      if (said && says) says.replaceWith(said);
      localTimes(fresh);
      part.replaceWith(fresh);
    }
  }
  setTimeout(lookAgain, Number(part.dataset.liveSeconds) * 1000);
};
const live = document.querySelector("#live[data-live-seconds]");
if (live) setTimeout(lookAgain, Number(live.dataset.liveSeconds) * 1000);

// A dialog takes the focus and keeps it; the browser gives it back to what opened the dialog.
const stopsIn = (ask) => [...ask.querySelectorAll("a[href], button:not(:disabled), input:not([type=hidden])")];
document.addEventListener(
  "toggle",
  (event) => {
    const ask = event.target;
    if (!(ask instanceof HTMLElement) || !ask.matches(".ask")) return;
    const open = event.newState === "open";
    ask.setAttribute("aria-modal", open);
    if (open) stopsIn(ask)[0]?.focus();
  },
  true,
);
document.addEventListener("keydown", (event) => {
  const ask = event.key === "Tab" && document.querySelector(".ask:popover-open");
  if (!ask) return;
  const stops = stopsIn(ask);
  const from = stops.indexOf(document.activeElement);
  const to = (from + (event.shiftKey ? -1 : 1) + stops.length) % stops.length;
  event.preventDefault();
  stops[to]?.focus();
});

// Where one is, is in sight in the side bar.
document.querySelector("#menu [aria-current]")?.scrollIntoView({ block: "nearest" });
