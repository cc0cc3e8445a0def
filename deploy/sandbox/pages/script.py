"""The pages' one script, served as a file of its own: what changed is shown by itself. Everything works without it."""

from typing import Final

PATH: Final = "/sandbox/live.js"

JS: Final = """
"use strict";
(() => {
  const main = document.querySelector("main");
  const isBusy = () => {
    const at = document.activeElement;
    return document.hidden || (at && main.contains(at) && at.matches("input, select, button, summary"))
      || main.querySelector("details[open]")
      || [...main.querySelectorAll("input:not([type=hidden])")].some((it) => it.value !== it.defaultValue)
      || [...main.querySelectorAll("select")].some((it) => it.selectedIndex > 0);
  };
  setInterval(async () => {
    if (isBusy()) return;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!isBusy()) main.replaceChildren(...page.querySelector("main").childNodes);
    } catch { /* The sandbox has ended; the page shows how it was. */ }
  }, 3000);
})();
"""
