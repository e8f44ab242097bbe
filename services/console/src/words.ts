/** Words and figures as people read them. */

import type { Action } from "./types";

export const ACTIONS: { action: Action; key: string; name: string; done: string }[] = [
  { action: "allow", key: "a", name: "Allow", done: "Allowed" },
  { action: "limit", key: "l", name: "Limit", done: "Limited" },
  { action: "remove", key: "r", name: "Remove", done: "Removed" },
  { action: "escalate", key: "e", name: "Escalate", done: "Escalated" },
];

const REASONS: Record<string, string> = {
  uncertain: "The model is not sure.",
  sampled: "Drawn at random, to check decisions.",
  planned: "Drawn by the audit plan, to check decisions.",
  not_agreed: "The first reviewers did not agree.",
  alarm: "An alarm is raised for this category.",
  automation_off: "Automation is switched off.",
  no_thresholds: "There are no thresholds for this model yet.",
  capped: "The cap on automatic actions was reached.",
  escalated: "A reviewer asked for an expert.",
};

export function reasonInWords(reason: string): string {
  return REASONS[reason] ?? `Chosen because: ${reason.replaceAll("_", " ")}.`;
}

export function doneName(action: Action): string {
  return ACTIONS.find((each) => each.action === action)?.done ?? action;
}

export function categoryName(category: string): string {
  return category.replaceAll("_", " ");
}

export function age(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export function since(instant: string): string {
  return age((Date.now() - Date.parse(instant)) / 1000);
}

export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export const figure = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
