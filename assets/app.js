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
  const fresh = page.querySelector(list.id ? `#${CSS.escape(list.id)}` : "main section.card-table");
  if (!fresh) return location.reload();
  localTimes(fresh);
  list.replaceWith(fresh);
  const status = document.querySelector("[data-progress]");
  const now = page.querySelector("[data-progress]")?.textContent ?? "";
  if (status && status.textContent !== now) status.textContent = now;
  if (fresh.dataset.refreshSeconds) look(fresh);
};
const busy = document.querySelector("[data-refresh-seconds]");
if (busy) setTimeout(() => location.reload(), Number(busy.dataset.refreshSeconds) * 1000);

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
if (busy) look(busy);
