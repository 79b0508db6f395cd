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

// A page with work under way looks again by itself.
const busy = document.querySelector("[data-refresh-seconds]");
if (busy) setTimeout(() => location.reload(), Number(busy.dataset.refreshSeconds) * 1000);
