"use strict";
(() => {
  const player = document.querySelector("video"), svg = document.querySelector("svg.timeline");
  const cursor = svg.querySelector(".cursor"), scale = Number(svg.dataset.scale);
  const values = [...svg.querySelectorAll(".value")], cells = [...document.querySelectorAll(".now dd")];
  function show(now) {
    cursor.removeAttribute("hidden");
    cursor.setAttribute("x1", now * scale);
    cursor.setAttribute("x2", now * scale);
    cells.forEach((cell) => { cell.textContent = "–"; });
    values.forEach((v) => {
      const here = Number(v.dataset.start) <= now && now < Number(v.dataset.end);
      v.classList.toggle("current", here);
      if (here) cells[Number(v.dataset.tier)].textContent = v.dataset.value;
    });
  }
  if (player) player.addEventListener("timeupdate", () => show(player.currentTime));
  svg.addEventListener("click", (event) => {
    const now = (event.clientX - svg.getBoundingClientRect().left) / scale;
    if (player) player.currentTime = now;
    show(now);
  });
  show(0);
})();
