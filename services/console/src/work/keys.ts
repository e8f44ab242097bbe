/** Single keys, which do not act while somebody writes, and can be switched off for voice and switch control. */

import { useLayoutEffect, useRef } from "preact/hooks";

export type Keys = Record<string, () => void>;

export function useKeys(on: boolean, keys: Keys): void {
  const current = useRef(keys);
  current.current = keys;
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest("input, textarea, select")) return;
      if (event.key === "Enter" && target?.closest("button, a")) return; // what has the focus is meant
      if (!on && event.key !== "Escape") return;
      const act = current.current[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [on]);
}
