// What a page does beside being a page: it fetches its main part again when something changed, says when the stream
// of changes is lost, and takes a PIN out of the document. Everything else works without it.
"use strict";
(() => {
  const main = document.getElementById("main");
  const stream = document.getElementById("stream");
  const topics = (main.dataset.live || "").split(" ").filter(Boolean);
  const QUIET_MS = 300, LEAST_MS = 1000, CLOCK_MS = 60000, WATCH_MS = 2000;
  let waiting = 0, fetchedAt = 0, wasLost = false;

  // Somebody who types, or has opened something, must not lose it.
  const isBusy = () => {
    const at = document.activeElement;
    if (at && main.contains(at) && at.matches("input, select, textarea")) return true;
    if (main.querySelector("details[open] form")) return true;
    return [...main.querySelectorAll("input, textarea")].some((it) => it.type === "checkbox" ? it.checked !== it.defaultChecked : it.value !== it.defaultValue);
  };

  const fetchAgain = async () => {
    waiting = 0;
    if (isBusy()) { stream.textContent = "There is news: it is shown once you have finished, or load the page again."; return; }
    fetchedAt = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.redirected) { location.reload(); return; }
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (isBusy()) return;
      const note = main.querySelector(".note");
      // What somebody has opened to read stays open, and the focus stays where it was.
      const opened = [...main.querySelectorAll("details[open][id]")].map((it) => it.id);
      const focused = document.activeElement.closest("details[id]")?.id;
      document.title = page.title;
      main.replaceChildren(...page.getElementById("main").childNodes);
      for (const id of opened) { const it = document.getElementById(id); if (it) it.open = true; }
      if (focused) document.getElementById(focused)?.querySelector("summary").focus();
      if (note && !main.querySelector(".note")) main.prepend(note);
      document.getElementById("as-of").replaceWith(page.getElementById("as-of"));
      stream.textContent = "";
    } catch { /* the stream says that it is lost */ }
  };
  const soon = () => {
    if (!waiting) waiting = setTimeout(fetchAgain, Math.max(QUIET_MS, fetchedAt + LEAST_MS - Date.now()));
  };
  const concerns = (news) =>
    news.topics.some((it) => topics.includes(it)) &&
    !(main.dataset.booking && news.bookings.length && !news.bookings.includes(main.dataset.booking));

  if (topics.length && window.EventSource) {
    const events = new EventSource("/events");
    events.addEventListener("hello", () => { stream.textContent = ""; if (wasLost) soon(); wasLost = false; });
    events.addEventListener("changed", (event) => { if (concerns(JSON.parse(event.data))) soon(); });
    events.addEventListener("ended", () => { events.close(); location.reload(); });
    events.addEventListener("error", () => {
      wasLost = true;
      stream.textContent = "Live updates are lost: this is how it was at that time.";
    });
    addEventListener("pagehide", () => events.close());
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  }
  // Something that isn't done yet: the page asks again until it is.
  setInterval(() => { if (!document.hidden && main.querySelector("[data-watch]")) soon(); }, WATCH_MS);
  if ("clock" in main.dataset) setInterval(() => { if (!document.hidden) soon(); }, CLOCK_MS);
  main.addEventListener("focusout", () => { if (stream.textContent.startsWith("There is news")) soon(); });

  const secret = main.querySelector("[data-forget-after]");
  if (secret) {
    const forget = () => { secret.querySelectorAll(".pin").forEach((it) => it.remove()); };
    setTimeout(() => { forget(); location.replace(secret.dataset.forgetTo); }, 1000 * Number(secret.dataset.forgetAfter));
    addEventListener("pagehide", forget);
  }
})();
