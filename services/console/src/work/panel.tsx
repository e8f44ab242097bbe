/** What is known, what applies, what should be done. */

import type { Ref } from "preact";
import type { Problem } from "../api";
import type { Draft } from "../drafts";
import type { Action, Task } from "../types";
import { ACTIONS, categoryName, reasonInWords } from "../words";

interface Given {
  task: Task;
  draft: Draft;
  busy: boolean;
  over: Problem | null; // the task is not this person's any more
  trouble: Problem | null;
  hint: string;
  note: Ref<HTMLTextAreaElement>;
  choose: (action: Action) => void;
  toggle: (category: string) => void;
  write: (note: string) => void;
  leave: () => void;
  send: () => void;
  skip: () => void;
}

export function Panel(given: Given) {
  const { task, draft, busy, over, trouble } = given;
  /** After a click the keys go on working; after Enter or Space the focus stays. */
  const click = (act: () => void) => (event: MouseEvent) => {
    act();
    if (event.detail > 0) given.leave();
  };
  const noteKeys = (event: KeyboardEvent) => {
    if (event.key === "Escape") given.leave();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      given.send();
    }
  };
  return (
    <aside class="panel" aria-label="Your verdict">
      {task.selection && <p class="why">{reasonInWords(task.selection.reason)}</p>}
      {task.purpose === "audit" && <p class="why">A blind check: what the model said is hidden.</p>}
      <fieldset>
        <legend>What applies</legend>
        <ul class="categories">
          {task.categories.map((name, index) => (
            <li key={name}>
              <button
                type="button"
                class="category"
                aria-pressed={draft.categories.includes(name)}
                onClick={click(() => given.toggle(name))}
              >
                <kbd aria-hidden="true">{index < 9 ? index + 1 : ""}</kbd>
                <span class="name">{categoryName(name)}</span>
                <Bar task={task} category={name} />
              </button>
            </li>
          ))}
        </ul>
      </fieldset>
      <fieldset>
        <legend>What should be done</legend>
        <div class="actions">
          {ACTIONS.map(({ action, key, name }) => (
            <button
              key={action}
              type="button"
              class={`action ${action}`}
              aria-pressed={draft.action === action}
              onClick={click(() => given.choose(action))}
            >
              {name} <kbd aria-hidden="true">{key.toUpperCase()}</kbd>
            </button>
          ))}
        </div>
      </fieldset>
      <label class="note">
        <span>Note for colleagues <kbd aria-hidden="true">N</kbd></span>
        <textarea
          ref={given.note}
          rows={2}
          maxLength={4000}
          dir="auto"
          value={draft.note}
          onInput={(event) => given.write(event.currentTarget.value)}
          onKeyDown={noteKeys}
        />
      </label>
      <div class="sending">
        <div role="alert" class="said">
          {over ? (
            <p class="notice bad"><strong>{over.title}.</strong> {over.message}</p>
          ) : trouble ? (
            <p class="notice bad">
              <strong>{trouble.title}.</strong> {trouble.message} Trying again by itself; Enter tries now.
            </p>
          ) : (
            given.hint && <p class="notice">{given.hint}</p>
          )}
        </div>
        <div class="row">
          <button type="button" class="quiet" onClick={click(given.skip)} disabled={busy}>
            Skip <kbd aria-hidden="true">S</kbd>
          </button>
          <button type="button" class="primary" onClick={click(given.send)} disabled={busy}>
            {over ? "Next post" : busy ? "Sending…" : "Send"} <kbd aria-hidden="true">Enter</kbd>
          </button>
        </div>
      </div>
    </aside>
  );
}

function Bar({ task, category }: { task: Task; category: string }) {
  const score = task.scores.find((each) => each.category === category);
  if (!score) return null;
  const percent = Math.round(score.probability * 100);
  return (
    <span class="score" title={score.disagreement === null ? undefined : `spread ${score.disagreement.toFixed(2)}`}>
      <span class="track" aria-hidden="true">
        <span class="fill" style={{ width: `${percent}%` }} />
      </span>
      <span class="percent"><span class="unseen">model says </span>{percent}%</span>
    </span>
  );
}
