/** Questions to the server; an answer that is no longer wanted is dropped. */

import { language } from "./words.js";

/** One line of questions, of which only the last counts. */
export class Line {
  /** The answer as JSON; undefined when a later question overtook this one; throws Refused. */
  async ask(path, pairs = []) {
    this.stop?.abort();
    const stop = new AbortController();
    this.stop = stop;
    try {
      return await ask(path, pairs, stop.signal);
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      throw error;
    }
  }

  drop() {
    this.stop?.abort();
  }
}

/** What the server refused: its sentence, fit to be shown. */
export class Refused extends Error {
  constructor(status, body) {
    super(body?.error?.message ?? `HTTP ${status}`);
    this.status = status;
    this.field = body?.error?.field ?? "";
  }
}

async function ask(path, pairs, signal) {
  const query = new URLSearchParams([...pairs, ["lang", language()]]);
  const answer = await fetch(`${path}?${query}`, {
    signal,
    // Where a line is slow, the tiles of the map come first.
    priority: "low",
    headers: { Accept: "application/json" },
  });
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body === null) throw new Refused(answer.status, body);
  return body;
}
