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
