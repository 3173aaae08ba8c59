"use strict";
(() => {
  const all = (what, where = document) => [...where.querySelectorAll(what)];
  const sections = new Map(all("section[data-video]").map((s) => [s.dataset.video, s]));
  const rows = all("#hits tbody tr");

  function choose(number) {
    all(".current").forEach((e) => e.classList.remove("current"));
    all(`[data-hit="${number}"]`).forEach((e) => e.classList.add("current"));
  }

  function play(video, start, end, number) {
    const section = sections.get(video);
    choose(number);
    const player = section && section.querySelector("video");
    if (!player) { if (section) section.scrollIntoView({ block: "nearest" }); return; }
    player.currentTime = start;
    player.dataset.until = end;
    player.play().catch(() => {});
    section.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  sections.forEach((section, video) => {
    const player = section.querySelector("video");
    const svg = section.querySelector("svg.timeline");
    const cursor = svg && svg.querySelector(".cursor");
    const scale = svg ? Number(svg.dataset.scale) : 0;
    if (player) {
      const said = section.querySelector(".player p");
      player.addEventListener("error", () => { said.textContent = "The video is not where it was when this report was made."; });
      player.addEventListener("timeupdate", () => {
        const now = player.currentTime;
        if (player.dataset.until && now >= Number(player.dataset.until)) { player.pause(); delete player.dataset.until; }
        if (!cursor) return;
        cursor.removeAttribute("hidden");
        cursor.setAttribute("x1", now * scale);
        cursor.setAttribute("x2", now * scale);
        const here = all(".hit", svg).filter((h) => h.dataset.start <= now && now < h.dataset.end);
        said.textContent = here.map((h) => h.getAttribute("aria-label").split(",")[0]).join(" · ");
      });
    }
    all(".hit", section).forEach((hit) => {
      const go = () => play(video, Number(hit.dataset.start), Number(hit.dataset.end), hit.dataset.hit);
      hit.addEventListener("click", (event) => { event.stopPropagation(); go(); });
      hit.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go(); }
      });
    });
    if (svg && player) {
      svg.addEventListener("click", (event) => {
        delete player.dataset.until;
        player.currentTime = (event.clientX - svg.getBoundingClientRect().left) / scale;
      });
    }
  });

  all(".seek").forEach((button) => {
    const row = button.closest("tr");
    button.addEventListener("click", () => play(row.dataset.video, Number(row.dataset.start), Number(row.dataset.end), row.dataset.hit));
  });

  const controls = document.querySelector(".controls");
  if (!controls) return;
  controls.hidden = false;
  const [text, sign, least, verdict] = ["text", "sign", "least", "verdict"].map((n) => controls.querySelector(`[name=${n}]`));
  const count = document.querySelector(".count");
  function filter() {
    const words = text.value.trim().toLocaleLowerCase();
    let shown = 0;
    for (const row of rows) {
      const keep = (!words || `${row.dataset.video} ${row.dataset.sign}`.toLocaleLowerCase().includes(words)) &&
        (!sign.value || row.dataset.sign === sign.value.slice(1)) && Number(row.dataset.score) >= Number(least.value) &&
        (!verdict || !verdict.value || row.dataset.verdict === verdict.value);
      row.hidden = !keep;
      shown += keep;
    }
    least.parentElement.querySelector("output").value = Number(least.value).toFixed(2);
    count.textContent = `${shown} of ${rows.length} detections`;
  }
  controls.addEventListener("input", filter);

  all("#hits th button").forEach((button) => {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const down = head.getAttribute("aria-sort") === "ascending";
      all("#hits th").forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = button.dataset.key;
      const number = ["start", "length", "score"].includes(key);
      const body = rows[0] && rows[0].parentElement;
      rows.sort((a, b) => {
        const order = number ? a.dataset[key] - b.dataset[key] : a.dataset[key].localeCompare(b.dataset[key]);
        return (down ? -order : order) || a.dataset.hit - b.dataset.hit;
      });
      rows.forEach((row) => body.append(row));
    });
  });
})();
