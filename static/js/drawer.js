/** On phones the panel is a drawer over the map with three stops; on wide screens it does nothing. */

const STOPS = ["peek", "half", "full"];
const phone = matchMedia("(max-width: 760px)");

export class Drawer {
  constructor(map) {
    this.map = map;
    this.panel = document.getElementById("panel");
    this.handle = document.getElementById("drawer-handle");
    this.filterButton = document.getElementById("open-filters");
    this.stopAt("peek");
    this.handle.addEventListener("click", () => this.pressed());
    this.filterButton?.addEventListener("click", () => this.openFilters());
    this.panel.addEventListener("pointerdown", (event) => this.grab(event));
  }

  /** True on screens where the panel is a drawer. */
  get active() {
    return phone.matches;
  }

  stopAt(stop) {
    this.stop = stop;
    document.body.dataset.drawer = stop;
    this.handle.setAttribute("aria-expanded", String(stop !== "peek"));
    this.panel.style.removeProperty("--pull");
  }

  /** Opens at least half, for something to be read. */
  rise(stop = "half") {
    if (STOPS.indexOf(this.stop) < STOPS.indexOf(stop)) this.stopAt(stop);
  }

  /** How many pixels of the map it covers. */
  covers() {
    if (!this.active) return 0;
    return { peek: 76, half: this.map.getSize().y * 0.5, full: this.map.getSize().y * 0.5 }[this.stop];
  }

  openFilters() {
    this.stopAt("full");
    document.getElementById("view-list").scrollTop = 0;
    // Not the search box: the keyboard would cover the rest.
    document.querySelector("#filters .states button")?.focus();
  }

  pressed() {
    if (this.dragged) return;
    this.stopAt(this.stop === "peek" ? "half" : "peek");
  }

  /** Follows a finger on the handle and settles at the nearest stop. */
  grab(event) {
    if (!this.active || !event.target.closest("#drawer-handle")) return;
    const from = event.clientY;
    const time = performance.now();
    let moved = 0;
    this.dragged = false;
    const move = (step) => {
      moved = step.clientY - from;
      if (Math.abs(moved) > 6) this.dragged = true;
      if (this.dragged) {
        this.panel.classList.add("dragging");
        this.panel.style.setProperty("--pull", `${moved}px`);
      }
    };
    const end = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", end);
      this.panel.classList.remove("dragging");
      if (this.dragged) this.settle(moved, moved / Math.max(1, performance.now() - time));
      setTimeout(() => {
        this.dragged = false;
      });
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", end);
  }

  settle(moved, speed) {
    const height = this.map.getSize().y;
    const now = { peek: height - 76, half: height * 0.5, full: height * 0.06 };
    const aim = now[this.stop] + moved + speed * 160;
    const [nearest] = [...STOPS].sort((a, b) => Math.abs(now[a] - aim) - Math.abs(now[b] - aim));
    this.stopAt(nearest);
  }
}
