// Shows a part of a page anew: [data-live] names where it comes from, data-every how many seconds lie between.
// What is fetched says by [data-running] that there is more to come; a hidden page asks for nothing. With data-reload
// the whole page is loaded when nothing more comes: data-running there says that something ran when it was made.
// A page that is being left, by a button for instance, is not loaded again: that would take the click back.
"use strict";
let leaving = false;
addEventListener("beforeunload", () => { leaving = true; });
addEventListener("pageshow", () => { leaving = false; });
document.querySelectorAll("[data-live]").forEach((place) => {
  const wait = Number(place.dataset.every) * 1000;
  let wasRunning = "running" in place.dataset;
  const show = async () => {
    if (document.hidden) return again();
    try {
      const answer = await fetch(place.dataset.live, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) return;
      const text = await answer.text();
      // Whoever stands somewhere in it with the keyboard stays there.
      const standing = place.contains(document.activeElement) ? document.activeElement.id : "";
      place.innerHTML = text;
      if (standing) document.getElementById(standing)?.focus({ preventScroll: true });
    } catch { return again(); }
    const isRunning = place.querySelector("[data-running]") !== null;
    if (isRunning) { wasRunning = true; again(); }
    else if (wasRunning && !leaving && "reload" in place.dataset) location.reload();
  };
  const again = () => setTimeout(show, wait);
  if ("now" in place.dataset) show(); else again();
});
