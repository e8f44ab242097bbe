/** What somebody has entered and not yet sent. It outlives a reload, a refusal and an outage. */

import type { Action } from "./types";

export interface Draft {
  action: Action | null;
  categories: string[];
  note: string;
}

export const EMPTY: Draft = { action: null, categories: [], note: "" };
const PREFIX = "sluicegate:draft:";
const OLD = 7 * 86_400_000; // no task lives longer

export function loadDraft(task: string): Draft {
  try {
    const kept = JSON.parse(localStorage.getItem(PREFIX + task) ?? "null");
    return kept ? { action: kept.action, categories: kept.categories, note: kept.note } : EMPTY;
  } catch {
    return EMPTY;
  }
}

export function keepDraft(task: string, draft: Draft): void {
  try {
    if (draft.action || draft.categories.length || draft.note) {
      localStorage.setItem(PREFIX + task, JSON.stringify({ ...draft, at: Date.now() }));
    } else {
      localStorage.removeItem(PREFIX + task);
    }
  } catch {
    // a full or forbidden storage loses drafts on reload, no more
  }
}

export function dropDraft(task: string): void {
  keepDraft(task, EMPTY);
}

export function dropOldDrafts(): void {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    try {
      const at = JSON.parse(localStorage.getItem(key) ?? "{}").at ?? 0;
      if (Date.now() - at > OLD) localStorage.removeItem(key);
    } catch {
      localStorage.removeItem(key);
    }
  }
}

/** A choice that is kept on this device. */
export function kept(name: string, otherwise: boolean): boolean {
  const found = localStorage.getItem(`sluicegate:${name}`);
  return found === null ? otherwise : found === "1";
}

export function keep(name: string, value: boolean): void {
  try {
    localStorage.setItem(`sluicegate:${name}`, value ? "1" : "0");
  } catch {
    // kept until the page is closed
  }
}
