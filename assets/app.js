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

// Copy buttons show where the browser can copy.
const showCopy = (root) => {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
};
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const label = button.textContent;
  await navigator.clipboard.writeText(button.dataset.copy);
  if (!button.dataset.copied || label === button.dataset.copied) return;
  button.textContent = button.dataset.copied;
  setTimeout(() => (button.textContent = label), 2000);
});

// A box that ticks every box of its table or department.
const showAll = (root) => {
  for (const all of root.querySelectorAll("input[data-all]")) all.closest("[hidden]")?.removeAttribute("hidden");
};
document.addEventListener("change", (event) => {
  const all = event.target.dataset.all;
  if (!all) return;
  for (const box of document.querySelectorAll(`input[data-of="${CSS.escape(all)}"]`)) {
    if (!box.disabled) box.checked = event.target.checked;
  }
});

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

// htmx exchanges parts of a page: lists while somebody searches them, and what goes on while
// somebody looks. What looks again by itself is left alone while somebody is at it.
const isInUse = (part) =>
  part.id === "live" && (part.contains(document.activeElement) || part.querySelector(":popover-open"));
for (const kind of ["htmx:beforeRequest", "htmx:beforeSwap"]) {
  document.addEventListener(kind, (event) => isInUse(event.detail.target) && event.preventDefault());
}

// What was exchanged says in a few words what it shows: politely, and only when that is news.
const say = (root) => {
  const said = document.getElementById("said");
  const words = root.querySelector("[data-says]")?.textContent ?? "";
  if (root !== document.body && words && said.textContent !== words) said.textContent = words;
};

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

// How many boxes of a form are ticked, beside what can be done with them; nothing can with none, or
// with too many.
const countChosen = () => {
  for (const bar of document.querySelectorAll("[data-chosen]")) {
    const most = Number(bar.dataset.chosenMost || Infinity);
    const boxes = bar.closest("form").querySelectorAll(`input[name="${CSS.escape(bar.dataset.chosen)}"]`);
    const ticked = [...boxes].filter((box) => box.checked && !box.disabled).length;
    bar.querySelector("[data-chosen-count]").textContent = ticked;
    for (const button of bar.querySelectorAll("[data-chosen-needs]")) button.disabled = ticked === 0 || ticked > most;
    const none = bar.querySelector("[data-chosen-none]");
    if (none) none.hidden = ticked > 0;
  }
};
document.addEventListener("change", countChosen);
// Going back brings ticks back without an event.
addEventListener("pageshow", countChosen);

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

// All this for the page, and again for every part of it that is exchanged.
document.addEventListener("htmx:load", (event) => {
  const root = event.detail.elt;
  localTimes(root);
  showCopy(root);
  showAll(root);
  countChosen();
  say(root);
});
