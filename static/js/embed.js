/** The map within another site: issues and boundaries, and a card for what was pressed. */

import { readAddress } from "./address.js";
import { Line } from "./api.js";
import { el, fill, icon } from "./dom.js";
import { headline } from "./facts.js";
import { pairsOf, queryOf } from "./filter.js";
import { expect } from "./ready.js";
import { showUsual } from "./sheet.js";
import { language, say } from "./words.js";

export function startEmbed(map, config, layers) {
  const issues = layers.find((layer) => layer.spec.kind === "issues");
  showUsual(map, layers);
  issues?.setFilter(queryOf(pairsOf(readAddress().filter)));
  const card = document.getElementById("embed-card");
  const line = new Line();
  const close = () => {
    card.hidden = true;
  };
  const show = async (number) => {
    const feature = await line.ask(`/api/issues/${encodeURIComponent(number)}`).catch(() => null);
    if (!feature) return;
    const issue = feature.properties;
    fill(
      card,
      el("button", { type: "button", class: "close", "aria-label": say("panel.back"), click: close }, icon("close")),
      headline(issue),
      el("h2", {}, issue.title),
      el("a", { href: `/issues/${number}?lang=${language()}`, target: "_blank", rel: "noopener" }, say("panel.page")),
    );
    card.hidden = false;
  };
  map.on("click", (event) => {
    const hit = issues?.under(event.containerPoint);
    if (!hit) close();
    else if (hit.group) map.setView(hit.group.place, Math.min(map.getZoom() + 2, map.getMaxZoom()));
    else show(hit.issues[0].number);
  });
  expect();
}
