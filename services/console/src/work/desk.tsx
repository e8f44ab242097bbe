/** The work view: one post, what is known about it, and what can be done with it. */

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { api, type Problem } from "../api";
import type { Failed } from "../failed";
import { type Draft, dropDraft, EMPTY, keep, keepDraft, kept, loadDraft } from "../drafts";
import type { Action } from "../types";
import { ACTIONS, categoryName, doneName } from "../words";
import { useHand } from "./hand";
import { Help } from "./help";
import { useKeys } from "./keys";
import { Lease } from "./lease";
import { Panel } from "./panel";
import { Post } from "./post";
import { Toast, type Sent } from "./toast";

export function Desk({ queue, failed }: { queue: string; failed: Failed }) {
  const hand = useHand(queue, failed);
  const held = hand.held[0];
  const task = held?.task ?? null;
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Problem | null>(null);
  const [hint, setHint] = useState("");
  const [sent, setSent] = useState<Sent | null>(null);
  const [done, setDone] = useState(0);
  const [said, say] = useState("");
  const [help, setHelp] = useState(false);
  const [blur, setBlur] = useState(kept("blur", false));
  const [keysOn, setKeysOn] = useState(kept("keys", true));
  const began = useRef(performance.now());
  const retry = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const region = useRef<HTMLElement>(null);
  const note = useRef<HTMLTextAreaElement>(null);
  const over = hand.lapsed ?? (trouble && !trouble.passing ? trouble : null);

  useEffect(() => {
    document.title = `${queue} · Sluicegate`;
  }, [queue]);

  // Another task is shown. A layout effect, since it runs before any key can: one pressed in between would add to the
  // draft of the task before, and send its categories with this one.
  const shown = task?.token;
  useLayoutEffect(() => {
    clearTimeout(retry.current);
    setDraft(task ? loadDraft(task.task_id) : EMPTY);
    setTrouble(null);
    setHint("");
    began.current = performance.now();
    if (task) {
      region.current?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    return () => clearTimeout(retry.current);
  }, [shown]);

  const change = (next: Partial<Draft>) => {
    if (!task || busy) return;
    const changed = { ...draft, ...next };
    setDraft(changed);
    setHint("");
    keepDraft(task.task_id, changed);
  };
  const choose = (action: Action) => change({ action }); // it selects: a key pressed twice takes nothing back
  const toggle = (category: string) =>
    change({
      categories: draft.categories.includes(category)
        ? draft.categories.filter((each) => each !== category)
        : [...draft.categories, category],
    });

  const next = useCallback(() => {
    if (!task) return;
    dropDraft(task.task_id);
    hand.drop(task);
  }, [task, hand.drop]);

  const send = async () => {
    clearTimeout(retry.current);
    if (!task || busy) return;
    if (over) return next();
    if (!draft.action) {
      setHint("Choose what should be done: A, L, R or E.");
      return;
    }
    if ((draft.action === "remove" || draft.action === "limit") && !draft.categories.length && !hint) {
      setHint("Which category applies? Press its number, or Enter again to send without one.");
      return;
    }
    setBusy(true);
    try {
      const recorded = await api.decide(task, {
        action: draft.action,
        categories: draft.categories,
        note: draft.note.trim() || null,
        seconds_spent: Math.max(1, Math.round(performance.now() - began.current)) / 1000,
      });
      const left = Date.parse(recorded.undo_until) - Date.now();
      setSent({ ...recorded, draft, until: performance.now() + left });
      setDone((count) => count + 1);
      say(`${doneName(recorded.action)}. ${hand.held.length > 1 ? "Next post." : ""}`);
      setTrouble(null);
      next();
    } catch (error) {
      const problem = failed(error);
      setTrouble(problem);
      if (problem?.passing) {
        retry.current = setTimeout(() => again.current(), (problem.retryAfter ?? 3) * 1000);
      }
    } finally {
      setBusy(false);
    }
  };
  const again = useRef(send);
  again.current = send;

  const undo = async () => {
    if (!sent || busy) return;
    setBusy(true);
    try {
      const back = await api.undo(sent.verdict_id);
      if (back) {
        keepDraft(back.task_id, sent.draft);
        hand.put(back);
      }
      setDone((count) => count - 1);
      setSent(null);
      say("Taken back. The post is yours again.");
    } catch (error) {
      const problem = failed(error);
      if (problem) {
        say(`${problem.title}. ${problem.message}`);
        setHint(`${problem.title}. ${problem.message}`);
        if (!problem.passing) setSent(null);
      }
    } finally {
      setBusy(false);
    }
  };

  const release = async () => {
    if (!task || busy) return;
    try {
      await api.release(task);
    } catch (error) {
      failed(error); // it is not ours any more: the more reason to go on
    }
    say("Skipped.");
    next();
  };

  const flip = (name: string, now: boolean, set: (value: boolean) => void) => {
    set(!now);
    keep(name, !now);
  };

  useKeys(keysOn, {
    "?": () => setHelp(!help),
    u: undo,
    b: () => flip("blur", blur, setBlur),
    ...(help ? { Escape: () => setHelp(false) } : {}),
    ...(task && !help
      ? {
          Enter: send,
          n: () => note.current?.focus(),
          s: release,
          ...Object.fromEntries(ACTIONS.map(({ action, key }) => [key, () => choose(action)])),
          ...Object.fromEntries(task.categories.slice(0, 9).map((name, i) => [String(i + 1), () => toggle(name)])),
        }
      : {}),
  });

  return (
    <main class="desk" ref={region} tabIndex={-1} aria-label={`Work on ${queue}`}>
      <div class="strip">
        <strong>{queue}</strong>
        {task?.purpose === "audit" && <span class="tag" title="What the model said is hidden">blind audit</span>}
        <span class="faint">{done} decided</span>
        <span class="grow" />
        {sent && <Toast key={sent.verdict_id} sent={sent} undo={undo} gone={() => setSent(null)} />}
        {held && !over && <Lease until={held.until} whole={held.task.lease_seconds * 1000} />}
        <button type="button" class="quiet" aria-pressed={blur} onClick={() => flip("blur", blur, setBlur)}>
          Blur <kbd>B</kbd>
        </button>
        <button type="button" class="quiet" onClick={() => setHelp(true)}>
          Keys <kbd>?</kbd>
        </button>
      </div>
      {task ? (
        <div class="columns">
          <Post task={task} blur={blur} reveal={() => flip("blur", blur, setBlur)} />
          <Panel
            task={task}
            draft={draft}
            busy={busy}
            over={over}
            trouble={trouble}
            hint={hint}
            note={note}
            choose={choose}
            toggle={toggle}
            write={(text) => change({ note: text })}
            leave={() => region.current?.focus({ preventScroll: true })}
            send={send}
            skip={over ? next : release}
          />
        </div>
      ) : (
        <Nothing empty={hand.empty} problem={hand.problem} />
      )}
      {task && hand.problem && hand.problem.kind !== "paused" && (
        <p class="notice bad" role="status">{hand.problem.title}. {hand.problem.message}</p>
      )}
      {help && (
        <Help
          categories={task?.categories.map(categoryName) ?? []}
          keysOn={keysOn}
          flip={() => flip("keys", keysOn, setKeysOn)}
          close={() => setHelp(false)}
        />
      )}
      <p class="unseen" aria-live="polite">{said}</p>
    </main>
  );
}

function Nothing({ empty, problem }: { empty: boolean; problem: Problem | null }) {
  if (problem) {
    return (
      <div class="nothing" role="status">
        <h1>{problem.title}</h1>
        <p>{problem.message}</p>
        <p class="faint">Trying again by itself. <a href="#/">Other queues</a></p>
      </div>
    );
  }
  return (
    <div class="nothing" role="status">
      {empty ? (
        <>
          <h1>Nothing waits here</h1>
          <p>New posts appear by themselves.</p>
          <p class="faint"><a href="#/">Other queues</a> · <a href="#/history">Your last verdicts</a></p>
        </>
      ) : (
        <p class="faint">Looking for the next post…</p>
      )}
    </div>
  );
}

