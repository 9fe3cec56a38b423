/** Printing: the map takes the width of the sheet of paper, and is painted again before it is printed. */

export function readyToPrint(map) {
  const set = (on) => {
    document.documentElement.classList.toggle("printing", on);
    map.invalidateSize({ animate: false, pan: false });
  };
  window.addEventListener("beforeprint", () => set(true));
  window.addEventListener("afterprint", () => set(false));
}
