import { useEffect, useState } from "preact/hooks";
import type { Draft } from "../drafts";
import type { Recorded } from "../types";
import { categoryName, doneName } from "../words";

export interface Sent extends Recorded {
  draft: Draft;
  until: number; // by this page's clock, ms
}

/** The last verdict, for as long as it may be taken back. */
export function Toast({ sent, undo, gone }: { sent: Sent; undo: () => void; gone: () => void }) {
  const [left, setLeft] = useState(sent.until - performance.now());
  useEffect(() => {
    const timer = setInterval(() => {
      const now = sent.until - performance.now();
      setLeft(now);
      if (now <= 0) gone();
    }, 200);
    return () => clearInterval(timer);
  }, [sent]);
  return (
    <div class="toast">
      <span>
        <b class={`verdict ${sent.action}`}>{doneName(sent.action)}</b>
        {sent.categories.length > 0 && <span class="faint"> {sent.categories.map(categoryName).join(", ")}</span>}
      </span>
      <button type="button" onClick={undo}>
        Undo <kbd>U</kbd> <span class="seconds">{Math.max(1, Math.ceil(left / 1000))} s</span>
      </button>
    </div>
  );
}
