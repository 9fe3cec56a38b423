/** Building of elements. What people wrote enters a page only here, as text nodes. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * One element. `props` are attributes; functions are event listeners; `dataset` is an object.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node|string|number|null|undefined|false|Array)} children
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

/** Puts children in, skipping what is absent. */
export function append(node, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

/** Replaces all that `node` holds. */
export function fill(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

/** A drawing from the page's symbol sheet, `<symbol id="i-…">`. */
export function icon(name, className = "icon") {
  return uses(className, [`i-${name}`]);
}

/** The map's symbol of a state group with the ring of its verdict. */
export function symbol(group, verdict = "") {
  const ring = verdict && verdict !== "clear" ? [`ring-${verdict}`] : [];
  return uses(`symbol symbol-${group}`, [`sym-${group}`, ...ring]);
}

function uses(className, ids) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  for (const id of ids) {
    const use = document.createElementNS(SVG, "use");
    use.setAttribute("href", `#${id}`);
    svg.append(use);
  }
  return svg;
}
