/** The queues: how much waits in each, and for how long. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, type Problem } from "./api";
import type { Failed } from "./failed";
import { keep, kept } from "./drafts";
import type { Me, QueueRow } from "./types";
import { Help } from "./work/help";
import { useKeys } from "./work/keys";
import { age, figure } from "./words";

const EVERY = 3000; // ms

/** The queue whose oldest post waits longest first, empty and paused ones last. */
function ordered(rows: QueueRow[]): string[] {
  const wait = (row: QueueRow): number => (row.paused || !row.depth ? -1 : (row.oldest_age_seconds ?? 0));
  return [...rows].sort((a, b) => wait(b) - wait(a) || a.queue.localeCompare(b.queue)).map((row) => row.queue);
}

export function Queues({ me, failed }: { me: Me; failed: Failed }) {
  const [rows, setRows] = useState<QueueRow[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const order = useRef<string[]>([]); // as it was when the page was opened: a number must not change under a finger
  const [help, setHelp] = useState(false);
  const [keysOn, setKeysOn] = useState(kept("keys", true));

  const look = useCallback(async () => {
    try {
      const found = await api.queues();
      order.current = [...order.current, ...ordered(found).filter((name) => !order.current.includes(name))];
      setRows(found.sort((a, b) => order.current.indexOf(a.queue) - order.current.indexOf(b.queue)));
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

  const open = (row: QueueRow) => {
    location.hash = `#/work/${row.queue}`;
  };
  const flip = () => {
    setKeysOn(!keysOn);
    keep("keys", !keysOn);
  };
  useKeys(keysOn, {
    "?": () => setHelp(!help),
    ...(help
      ? { Escape: () => setHelp(false) }
      : Object.fromEntries((rows ?? []).slice(0, 9).map((row, i) => [String(i + 1), () => open(row)]))),
  });

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
              <Fact value={figure.format(row.depth)} label={behind(row)} strong={row.depth > 0} />
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
      <p class="faint keys-hint">
        The longest wait is first. Tab and Enter, or the number, opens a queue.{" "}
        <button type="button" class="quiet" onClick={() => setHelp(true)}>
          Keys <kbd>?</kbd>
        </button>
      </p>
      {help && (
        <Help categories={[]} queues={rows?.length ?? 0} keysOn={keysOn} flip={flip} close={() => setHelp(false)} />
      )}
    </main>
  );
}

/** What waits, and how many copies go with it: they are answered together. */
function behind(row: QueueRow): string {
  return row.copies_waiting ? `waiting, +${figure.format(row.copies_waiting)} ${row.copies_waiting === 1 ? "copy" : "copies"}` : "waiting";
}

function Fact({ value, label, strong = false }: { value: string; label: string; strong?: boolean }) {
  return (
    <span class={strong ? "fact strong" : "fact"}>
      <b>{value}</b> <small>{label}</small>
    </span>
  );
}
