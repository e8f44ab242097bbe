/** What the API answers. Instants are RFC 3339, spans count characters as Python does: code points. */

export type Action = "allow" | "limit" | "remove" | "escalate";

export interface Me {
  name: string;
  role: "moderator" | "admin";
  charts_url: string;
}

export interface QueueRow {
  queue: string;
  state: string;
  paused: boolean;
  depth: number;
  held: number;
  tasks: number;
  copies_waiting: number; // of them, those that wait for the answer to a copy
  oldest_age_seconds: number | null;
}

export interface Span {
  start: number;
  end: number;
  category: string | null;
  weight: number | null;
}

export interface Score {
  category: string;
  probability: number;
  disagreement: number | null;
}

export interface Item {
  kind: string;
  text: string | null;
  media: { url: string; media_type: string | null }[];
  language: string | null;
  author: { id: string; created_at: string | null } | null;
  context: Record<string, unknown> | null;
  reach: number | null;
  submitted_at: string | null;
}

export interface Task {
  task_id: string;
  source: string;
  item_id: string;
  revision: number;
  queue: string;
  purpose: "decision" | "audit";
  item: Item;
  categories: string[];
  scores: Score[];
  explanation: Span[];
  selection: { reason: string; probability: number } | null;
  severity: number | null;
  deadline: string;
  votes_wanted: number;
  accepted_at: string | null;
  requested_at: string;
  model_version: string | null;
  token: string;
  seat: number;
  copies_waiting: number; // open copies that its answer decides
  near: { place: number; of: number } | null; // one of several that are nearly the same; null: of none
  lease_seconds_left: number;
  lease_seconds: number;
}

export interface Recorded {
  verdict_id: string;
  task_id: string;
  action: Action;
  categories: string[];
  undo_until: string;
}

export interface Remembered extends Recorded {
  queue: string;
  decided_at: string;
  taken_back: boolean;
  text: string | null;
}
