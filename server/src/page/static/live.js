// Liveness, and nothing else: when the server says that something happened, the page is asked for again, and the parts
// of it that differ are put in. Every page works without this.
"use strict";
(() => {
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  const pace = 1000;
  // On some pages the sign stands in a part, and is put in anew with it.
  let says = "";
  const sayOn = (one) => {
    const sign = one.querySelector("[data-liveness]");
    if (sign && sign.textContent !== says) sign.textContent = says;
  };
  const say = (text) => { says = text; sayOn(document); };
  // The answer to a form is found elsewhere than at the address that the form was sent to.
  const page = main.dataset.page ?? location.href;
  const anew = () => { if (main.dataset.page) location.assign(page); else location.reload(); };
  let busy = false, waiting = false;
  let seen = new URL(main.dataset.live, location.href).searchParams.get("seen") ?? 0;

  // A part in which somebody types, or has something open, or that shows what is shown once, stays as it is.
  const inUse = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select, button")
    || part.querySelector("details[open] form, [data-keep]");

  const isTypedIn = () => document.querySelector("details[open] form, [data-keep]") || document.activeElement.matches("input, textarea, select");

  // By which a link or a summary is found again.
  const mark = (one) => one.getAttribute("href") || (one.matches("summary") && one.parentNode.id);

  function put(fresh) {
    sayOn(fresh);
    // A part that was not there before has its place on the whole page only.
    const isNew = [...fresh.querySelectorAll("[data-part]")].some((part) => !document.getElementById(part.id));
    if (isNew && !isTypedIn()) { anew(); return; }
    for (const part of document.querySelectorAll("[data-part]")) {
      const other = fresh.getElementById(part.id);
      if (inUse(part)) continue;
      if (!other) { part.remove(); continue; }
      for (const open of part.querySelectorAll("details[open][id]")) {
        const same = fresh.getElementById(open.id);
        if (same) same.open = true;
      }
      if (part.outerHTML !== other.outerHTML) {
        const focused = part.contains(document.activeElement) && mark(document.activeElement);
        part.replaceWith(document.importNode(other, true));
        const again = focused && [...document.getElementById(other.id).querySelectorAll("a, summary")]
          .find((one) => mark(one) === focused);
        if (again) again.focus({ preventScroll: true });
      }
    }
  }

  async function look() {
    if (busy || document.hidden) { waiting = true; return; }
    busy = true;
    waiting = false;
    try {
      const answer = await fetch(page, { redirect: "manual", headers: { accept: "text/html", "x-thirdboot-look": seen } });
      if (answer.type === "opaqueredirect") { anew(); return; }
      say(answer.ok && news.readyState === EventSource.OPEN ? "live" : "not connected");
      if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      say("not connected");
    }
    setTimeout(() => { busy = false; if (waiting) look(); }, pace);
  }

  let news;
  (function listen() {
    const from = new URL(main.dataset.live, location.href);
    from.searchParams.set("seen", seen);
    news = new EventSource(from);
    news.addEventListener("open", () => { say("live"); });
    news.addEventListener("changed", (told) => { seen = told.data; look(); });
    news.addEventListener("error", () => {
      say("not connected");
      // Where something else than a stream was the answer, it does not come again by itself.
      if (news.readyState === EventSource.CLOSED) setTimeout(listen, 10 * pace);
    });
  })();
  document.addEventListener("visibilitychange", () => { if (!document.hidden && waiting) look(); });
  // "3 min ago" grows old by itself; what moves without an event says so.
  const rest = () => 1000 * (document.querySelector("[data-again]")?.dataset.again || 30);
  (function again() { setTimeout(() => { look(); again(); }, rest()); })();
})();
