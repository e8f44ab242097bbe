// What analytics answers at /v1/charts: a value or null for every time of `t`.

export type Values = (number | null)[];

export interface Numbers {
  t: number[]; // seconds since 1970, where each bucket begins
  step: number; // seconds in a bucket
  now: number;
  volume: { received: Values; decided: Values; to_people: Values };
  automated: { percent: Values };
  queue: { open: Values; oldest_seconds: Values };
  time: { machine_median: Values; machine_p95: Values; people_median: Values; people_p95: Values };
  agreement: { people: Values; model: Values };
  span: Record<"received" | "automated" | "agreement" | "machine" | "people", number | null>; // of all the time shown
  models: { name: string; values: Values }[];
}

export async function fetchNumbers(minutes: number, signal: AbortSignal): Promise<Numbers> {
  const answer = await fetch(`/v1/charts?minutes=${minutes}`, { signal });
  if (!answer.ok) throw new Error(`analytics answered ${answer.status}`);
  return (await answer.json()) as Numbers;
}
