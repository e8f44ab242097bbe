import { useEffect, useRef } from "preact/hooks";

interface Given {
  categories: string[]; // of the task at hand; none without one
  queues?: number; // how many the Queues page lists, where that is the page
  keysOn: boolean;
  flip: () => void;
  close: () => void;
}

/** Every key, in a dialog that keeps the focus. */
export function Help({ categories, queues, keysOn, flip, close }: Given) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => before instanceof HTMLElement && before.focus({ preventScroll: true });
  }, []);
  const named = categories.slice(0, 9);
  const rows: [string, string][] = [
    ...(named.length ? [[upTo(named.length), named.join(", ")] as [string, string]] : []),
    ...(queues ? [[upTo(queues), "open that queue; the keys below are for work in it"] as [string, string]] : []),
    ["A", "allow"],
    ["L", "limit: fewer people see it"],
    ["R", "remove"],
    ["E", "escalate: an expert decides"],
    ["Enter", "send the verdict"],
    ["U", "undo the last one, for 5 s"],
    ["S", "skip: others get it"],
    ["N", "write a note; Esc leaves it, Ctrl Enter sends"],
    ["B", "blur or show the text"],
    ["?", "this list"],
  ];
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close} onCancel={close}>
      <h2 id="help-title">Keys</h2>
      <dl>
        {rows.map(([key, what]) => (
          <div key={key}>
            <dt><kbd>{key}</kbd></dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={keysOn} onChange={flip} /> Single keys act at once
      </label>
      <button type="button" class="primary" onClick={close} autofocus>Close</button>
    </dialog>
  );
}

function upTo(count: number): string {
  return count === 1 ? "1" : `1 – ${Math.min(count, 9)}`;
}
