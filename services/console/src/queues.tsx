/** The queues: how much waits in each, and for how long. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { api, type Problem } from "./api";
import type { Failed } from "./app";
import type { Me, QueueRow } from "./types";
import { age, figure } from "./words";

const EVERY = 3000; // ms

export function Queues({ me, failed }: { me: Me; failed: Failed }) {
  const [rows, setRows] = useState<QueueRow[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  const look = useCallback(async () => {
    try {
      setRows(await api.queues());
      setProblem(null);
    } catch (error) {
      setProblem(failed(error));
    }
  }, [failed]);

  useEffect(() => {
    document.title = "Queues · Sluicegate";
    look();
    const timer = setInterval(() => document.hidden || look(), EVERY);
    return () => clearInterval(timer);
  }, [look]);

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const row = rows?.[Number(event.key) - 1];
      if (row && !event.ctrlKey && !event.metaKey && !event.altKey) location.hash = `#/work/${row.queue}`;
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [rows]);

  const pause = async (row: QueueRow) => {
    try {
      await api.pause(row.queue, !row.paused);
      setTimeout(look, 300);
    } catch (error) {
      setProblem(failed(error));
    }
  };

  return (
    <main class="page">
      <h1>Queues</h1>
      {problem && <p class="notice bad" role="alert"><strong>{problem.title}.</strong> {problem.message}</p>}
      {rows?.length === 0 && (
        <p class="notice">There is no queue yet. They appear when the review feed has read Kafka’s topics.</p>
      )}
      <ul class="queues">
        {rows?.map((row, index) => (
          <li key={row.queue}>
            <a class="queue" href={`#/work/${row.queue}`}>
              <kbd aria-hidden="true">{index + 1}</kbd>
              <span class="name">
                {row.queue}
                {row.paused && <span class="tag">paused</span>}
                {row.state !== "ready" && <span class="tag">being rebuilt</span>}
              </span>
              <Fact value={figure.format(row.depth)} label="waiting" strong={row.depth > 0} />
              <Fact value={row.oldest_age_seconds === null ? "–" : age(row.oldest_age_seconds)} label="oldest" />
              <Fact value={figure.format(row.held)} label="in hand" />
            </a>
            {me.role === "admin" && (
              <button type="button" class="quiet" onClick={() => pause(row)}>
                {row.paused ? "Resume" : "Pause"}
                <span class="unseen"> {row.queue}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      <p class="faint keys-hint">Tab and Enter, or the number, opens a queue. In a queue, <kbd>?</kbd> shows every key.</p>
    </main>
  );
}

function Fact({ value, label, strong = false }: { value: string; label: string; strong?: boolean }) {
  return (
    <span class={strong ? "fact strong" : "fact"}>
      <b>{value}</b> <small>{label}</small>
    </span>
  );
}
