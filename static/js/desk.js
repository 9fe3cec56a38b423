/** The map of the desk: the issues of the list, no more and no fewer, each a way to its page. */

import { el, symbol } from "./dom.js";
import { expect } from "./ready.js";

export async function startDesk(map, config, layers) {
  for (const layer of layers) {
    if (layer.spec.kind === "issues" || layer.spec.show === false) layer.remove();
    else layer.addTo(map);
  }
  const places = config.desk ?? [];
  const rows = new Map([...document.querySelectorAll("tr[data-number]")].map((row) => [row.dataset.number, row]));
  for (const place of places) {
    const row = rows.get(place.number);
    const pin = L.marker([place.lat, place.lon], {
      icon: L.divIcon({ className: "desk-pin", html: symbol(place.group, place.verdict), iconSize: [32, 32] }),
      title: `${place.title} · ${place.state}`,
      alt: `${place.number} ${place.title}`,
    }).addTo(map);
    pin.on("click keypress", (event) => {
      if (event.type === "click" || event.originalEvent.key === "Enter") location.assign(place.url);
    });
    const light = (on) => row?.classList.toggle("lit", on);
    pin.on("mouseover", () => light(true)).on("mouseout", () => light(false));
    row?.addEventListener("mouseenter", () => pin.setZIndexOffset(1000));
    row?.addEventListener("mouseleave", () => pin.setZIndexOffset(0));
  }
  if (places.length) {
    map.fitBounds(L.latLngBounds(places.map(({ lat, lon }) => [lat, lon])).pad(0.1), { maxZoom: 16, animate: false });
  }
  tickAll();
  expect();
}

/** A box in the table's head that ticks them all. */
function tickAll() {
  const head = document.querySelector("#bulk th.tick");
  if (!head) return;
  const boxes = [...document.querySelectorAll('#bulk input[name="issue"]')];
  const label = head.textContent.trim();
  const all = el("input", {
    type: "checkbox",
    "aria-label": label,
    change: () => boxes.forEach((box) => (box.checked = all.checked)),
  });
  head.replaceChildren(all);
}
