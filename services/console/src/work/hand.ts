/** The tasks in a person's hand: the one that is shown, and the next one, fetched while the first is read. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, Problem } from "../api";
import type { Failed } from "../failed";
import type { Task } from "../types";

const LOOK_AGAIN = 2500; // ms between two claims of an empty queue
const AHEAD = 2; // the one that is shown and the next
const ACTIVE = 60_000; // ms after the last key or click for which leases are extended

export interface Held {
  task: Task;
  until: number; // when the lease ends, by this page's clock, ms
}

export interface Hand {
  held: Held[];
  empty: boolean; // the queue has nothing for this person
  problem: Problem | null; // why nothing can be claimed
  lapsed: Problem | null; // what happened to the lease of the task that is shown
  put: (task: Task) => void; // on top
  drop: (task: Task) => void;
}

const hold = (task: Task): Held => ({ task, until: performance.now() + task.lease_seconds_left * 1000 });

export function useHand(queue: string, failed: Failed): Hand {
  const [held, setHeld] = useState<Held[]>([]);
  const [empty, setEmpty] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [lapsed, setLapsed] = useState<Problem | null>(null);
  const [round, setRound] = useState(0);
  const current = useRef(held);
  const claiming = useRef(false);
  const extending = useRef(new Set<string>());
  const touched = useRef(performance.now());
  current.current = held;

  const put = useCallback((task: Task) => {
    setLapsed(null);
    setHeld((now) => [hold(task), ...now.filter((each) => each.task.task_id !== task.task_id)]);
  }, []);
  const drop = useCallback((task: Task) => {
    setLapsed(null);
    setHeld((now) => now.filter((each) => each.task.task_id !== task.task_id));
  }, []);

  // Claim until the hand is full; look again while the queue is empty or away.
  useEffect(() => {
    if (held.length >= AHEAD || claiming.current) return;
    claiming.current = true;
    let again = LOOK_AGAIN;
    api
      .claim(queue, held.map((each) => each.task.task_id))
      .then((task) => {
        setProblem(null);
        setEmpty(task === null);
        if (task) {
          again = 0;
          setHeld((now) =>
            now.some((each) => each.task.task_id === task.task_id) ? now : [...now, hold(task)],
          );
        }
      })
      .catch((error) => {
        const shown = failed(error);
        if (shown?.kind === "enough") return;
        setProblem(shown);
        again = shown?.retryAfter ? shown.retryAfter * 1000 : LOOK_AGAIN;
      })
      .finally(() => {
        setTimeout(() => {
          claiming.current = false;
          setRound((now) => now + 1);
        }, again);
      });
  }, [queue, held, round, failed]);

  // Leases of somebody who is at work begin anew before they end.
  useEffect(() => {
    const touch = () => {
      touched.current = performance.now();
    };
    const look = async () => {
      const now = performance.now();
      if (now - touched.current > ACTIVE) return;
      for (const { task, until } of current.current) {
        const whole = task.lease_seconds * 1000;
        if (until - now > whole * 0.5 || extending.current.has(task.task_id)) continue;
        extending.current.add(task.task_id);
        try {
          const left = (await api.extend(task)).lease_seconds_left;
          const renewed = performance.now() + left * 1000;
          setHeld((all) => all.map((each) => (each.task.token === task.token ? { task, until: renewed } : each)));
        } catch (error) {
          const shown = failed(error);
          if (shown && !shown.passing) {
            if (current.current[0]?.task.task_id === task.task_id) setLapsed(shown);
            else drop(task);
          }
        } finally {
          extending.current.delete(task.task_id);
        }
      }
    };
    const timer = setInterval(look, 1000);
    for (const kind of ["keydown", "pointerdown", "wheel"] as const) addEventListener(kind, touch, { passive: true });
    return () => {
      clearInterval(timer);
      for (const kind of ["keydown", "pointerdown", "wheel"] as const) removeEventListener(kind, touch);
    };
  }, [failed, drop]);

  return { held, empty, problem, lapsed, put, drop };
}
