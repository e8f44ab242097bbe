// What analytics answers at /v1/tradeoff: services/analytics/core/slider.py says what is what. Shares are of 1.

export interface Estimate {
  value: number;
  low: number;
  high: number;
}

export interface Stop {
  risk: number;
  threshold: number | null;
  needed: number; // audited labels still wanting; 0 where there is a threshold
}

export interface Point extends Partial<Estimate> {
  threshold: number;
  items: number; // of the week, that this side decides by itself
}

export interface Move {
  removed: number;
  allowed: number;
  people: number;
  wrong: Estimate | null;
  missed: Estimate | null;
  queues: { queue: string; reviews: number; hours: number | null }[];
  hours: number | null;
}

export interface Tradeoff {
  missing?: undefined;
  as_of: number;
  categories: string[];
  category: string;
  action: string;
  confidence: number;
  model_version: string;
  policy_version: string;
  labels: number;
  violating: number;
  left_out: number;
  least_violating: number;
  drawable: boolean;
  why: string[];
  week: { days: number; items: number; fixed: number; elsewhere: number };
  asked: { wrong_removals: number; missed: number };
  today: {
    remove: number | null;
    allow: number | null;
    certified: boolean;
    risks: { wrong_removals: number; missed: number; confidence: number } | null;
    wrong_removals: Estimate | null;
    missed: Estimate | null;
    move: Move;
  };
  removals: Stop[];
  allowances: Stop[];
  curves: { wrong_removals: Point[]; missed: Point[] };
  moves: Move[][];
}

export type Answer = Tradeoff | { missing: string };

export async function fetchTradeoff(category: string, confidence: number, signal: AbortSignal): Promise<Answer> {
  const asked = new URLSearchParams({ confidence: String(confidence), ...(category ? { category } : {}) });
  const answer = await fetch(`/v1/tradeoff?${asked}`, { signal });
  if (!answer.ok) {
    const said = (await answer.json().catch(() => null)) as { detail?: unknown } | null;
    throw new Error(typeof said?.detail === "string" ? said.detail : `analytics answered ${answer.status}`);
  }
  return (await answer.json()) as Answer;
}
