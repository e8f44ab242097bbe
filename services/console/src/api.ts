/** The API over fetch. Whatever is not as asked for is thrown as a Problem, with words that can be shown. */

import type { Action, Me, QueueRow, Recorded, Remembered, Task } from "./types";

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    readonly title: string,
    detail: string,
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const AWAY = "The server cannot be reached. What you entered is kept on this device.";

async function call<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
  const request: RequestInit = { method, credentials: "same-origin", signal: AbortSignal.timeout(15_000) };
  if (method === "POST") {
    request.headers = { "Content-Type": "application/json" };
    request.body = JSON.stringify(body ?? {});
  }
  let answer: Response;
  try {
    answer = await fetch(`/v1/${path}`, request);
  } catch {
    throw new Problem(0, "away", "No connection", AWAY);
  }
  if (answer.status === 204) return null as T;
  const parsed: unknown = await answer.json().catch(() => null);
  if (answer.ok) return parsed as T;
  const said = (parsed ?? {}) as { type?: string; title?: string; detail?: string };
  const wait = Number(answer.headers.get("Retry-After"));
  throw new Problem(
    answer.status,
    (said.type ?? "").split(":").pop() ?? "",
    said.title ?? `Error ${answer.status}`,
    said.detail ?? "The server answered something unexpected. Try again.",
    wait > 0 ? wait : null,
  );
}

const part = encodeURIComponent;
const named = (task: Task) => ({ task_id: task.task_id, token: task.token });

export interface Verdict {
  action: Action;
  categories: string[];
  note: string | null;
  seconds_spent: number;
}

export const api = {
  login: (name: string, password: string) => call<Me>("POST", "login", { name, password }),
  logout: () => call<null>("POST", "logout"),
  me: () => call<Me>("GET", "me"),
  queues: () => call<QueueRow[]>("GET", "queues"),
  pause: (queue: string, paused: boolean) =>
    call<unknown>("POST", `queues/${part(queue)}/${paused ? "pause" : "resume"}`),
  claim: (queue: string, atHand: string[]) =>
    call<Task | null>("POST", `queues/${part(queue)}/claim`, { at_hand: atHand }),
  decide: (task: Task, verdict: Verdict) =>
    call<Recorded>("POST", "verdicts", { ...named(task), ...verdict }),
  extend: (task: Task) =>
    call<{ lease_seconds_left: number }>("POST", "leases/extend", named(task)),
  release: (task: Task) => call<null>("POST", "leases/release", named(task)),
  undo: (verdict: string) => call<Task | null>("POST", `verdicts/${part(verdict)}/undo`),
  history: () => call<Remembered[]>("GET", "history?last=50"),
};
