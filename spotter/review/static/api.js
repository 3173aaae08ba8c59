// Talking to the server: questions, and decisions that must not be lost.

export class RequestError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** The answer to a question, as JSON. */
export async function ask(path, parameters = {}, signal = undefined) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null));
  return answer(await fetch(query.size ? `${path}?${query}` : path, { signal, headers: { accept: "application/json" } }));
}

/** Sends JSON; `keepalive` outlives the page. */
export async function send(path, body, keepalive = false) {
  return answer(await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), keepalive }));
}

async function answer(response) {
  if (response.ok) return response.json();
  let text = response.statusText;
  try {
    text = (await response.json()).error ?? text;
  } catch { /* plain text */ }
  throw new RequestError(text, response.status);
}

/** Waits for a job of the server, telling the share that is done. */
export async function finished(job, tell = () => {}) {
  let state = job;
  for (let wait = 150; state.state === "running"; wait = Math.min(1000, wait * 1.3)) {
    await new Promise((done) => setTimeout(done, wait));
    state = await ask(`/api/jobs/${state.id}`);
    tell(state.share);
  }
  if (state.state === "failed") throw new RequestError(state.error, 400);
  return state.result;
}

const PREFIX = "spotter-line:";

/**
 * Decisions on their way. Each lies in the browser's storage until the server has said that it is in the log, so neither
 * a closed tab nor a dead server loses one; its token makes sending it twice harmless.
 */
export class Outbox extends EventTarget {
  constructor(project) {
    super();
    this.project = project;
    this.client = crypto.randomUUID();
    this.waiting = [];
    this.sending = false;
    this.pause = 0;
    addEventListener("pagehide", () => this.flushLast());
    // what another tab left behind when it was closed in mid-flight
    setInterval(() => this.adopt(), 5000);
    this.adopt(true);
  }

  key(token) {
    return `${PREFIX}${this.project}:${token}`;
  }

  adopt(atOnce = false) {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(`${PREFIX}${this.project}:`)) continue;
      let kept;
      try {
        kept = JSON.parse(localStorage.getItem(key));
      } catch {
        continue;
      }
      const old = Date.now() - kept.when > 15000;
      if ((atOnce || old) && kept.client !== this.client && !this.waiting.some((row) => row.token === kept.row.token)) {
        kept.client = this.client;
        localStorage.setItem(key, JSON.stringify({ ...kept, when: Date.now() }));
        this.waiting.push({ ...kept.row, who: kept.who });
      }
    }
    if (this.waiting.length) this.flush();
  }

  /** Takes a line in; it is sent at once. */
  push(row, who) {
    const line = { token: crypto.randomUUID(), ...row };
    try {
      localStorage.setItem(this.key(line.token), JSON.stringify({ row: line, who, client: this.client, when: Date.now() }));
    } catch { /* storage is full or forbidden: it still lies in memory */ }
    this.waiting.push({ ...line, who });
    this.dispatchEvent(new Event("change"));
    this.flush();
    return line.token;
  }

  async flush() {
    if (this.sending || !this.waiting.length) return;
    this.sending = true;
    const who = this.waiting[0].who;
    const lines = [];
    for (const row of this.waiting) {
      if (row.who !== who || lines.length === 200) break;
      const { who: _, ...line } = row;
      lines.push(line);
    }
    try {
      const said = await send("/api/lines", { who, client: this.client, lines });
      const done = new Set([...said.written, ...said.refused].map((row) => row.token));
      this.waiting = this.waiting.filter((row) => !done.has(row.token));
      done.forEach((token) => localStorage.removeItem(this.key(token)));
      this.pause = 0;
      this.dispatchEvent(new CustomEvent("answer", { detail: said }));
    } catch (error) {
      this.pause = Math.min(8000, Math.max(500, this.pause * 1.7));
      this.dispatchEvent(new CustomEvent("trouble", { detail: error }));
    }
    this.sending = false;
    this.dispatchEvent(new Event("change"));
    if (this.waiting.length) setTimeout(() => this.flush(), this.pause);
  }

  flushLast() {
    const rows = this.waiting.slice(0, 100);
    if (!rows.length || this.sending) return;
    const lines = rows.map(({ who: _, ...line }) => line);
    send("/api/lines", { who: rows[0].who, client: this.client, lines }, true).catch(() => {});
  }
}
