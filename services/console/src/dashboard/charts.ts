// The six charts: what each shows, in which unit, and the sentence above it.

import type { Numbers, Values } from "./data";
import { count, duration, percent } from "./units";

export interface Line {
  label: string;
  colour: string; // a custom property of base.css
  values: Values;
  right?: boolean; // measured on the right axis
  fill?: boolean;
  dashed?: boolean;
}

export interface Axis {
  unit: string;
  format: (value: number) => string;
  top?: number; // a fixed end of the scale
  least?: number; // the end of the scale is at least this
  logarithmic?: boolean;
}

export interface Chart {
  title: string;
  now: string; // the latest value in words
  empty: string; // what is said where there is nothing
  left: Axis;
  right?: Axis;
  lines: Line[];
  stacked?: boolean;
}

const COLOURS = ["--accent", "--escalate", "--limit", "--allow", "--remove", "--faint"];
const PERCENT: Axis = { unit: "%", format: (value) => count(value), top: 100 };

/** The last value that is there; the bucket that still runs counts only where a rate does not depend on it. */
function last(values: Values, finished = false): number | null {
  const upTo = finished ? values.length - 2 : values.length - 1;
  for (let at = upTo; at >= 0; at--) {
    const value = values[at];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

function said(value: number | null, format: (value: number) => string, rest: string): string {
  return value === null ? "—" : `${format(value)} ${rest}`;
}

export function charts(n: Numbers): Chart[] {
  const busy = n.models.filter((model) => model.values.some((value) => value));
  return [
    {
      title: "Volume",
      now: said(last(n.volume.received, true), count, "items a minute"),
      empty: "Nothing was published in this time.",
      left: { unit: "items a minute", format: count, least: 10 },
      lines: [
        { label: "received", colour: "--accent", values: n.volume.received, fill: true },
        { label: "decided", colour: "--allow", values: n.volume.decided },
        { label: "sent to people", colour: "--escalate", values: n.volume.to_people },
      ],
    },
    {
      title: "Share automated",
      now: said(last(n.automated.percent), percent, "of decisions by machine"),
      empty: "Nothing was decided in this time.",
      left: { ...PERCENT, unit: "% of final decisions" },
      lines: [{ label: "by machine", colour: "--accent", values: n.automated.percent, fill: true }],
    },
    {
      title: "Queue",
      now: `${said(last(n.queue.open), count, "open")}, oldest ${said(last(n.queue.oldest_seconds), duration, "")}`,
      empty: "Nobody was asked in this time.",
      left: { unit: "open tasks", format: count, least: 5 },
      right: { unit: "age of the oldest", format: duration, least: 60 },
      lines: [
        { label: "open tasks", colour: "--accent", values: n.queue.open, fill: true },
        { label: "age of the oldest", colour: "--limit", values: n.queue.oldest_seconds, right: true, dashed: true },
      ],
    },
    {
      title: "Time to decision",
      now: `${said(last(n.time.machine_median), duration, "machine")}, ${said(last(n.time.people_median), duration, "people")}`,
      empty: "Nothing was decided in this time.",
      left: { unit: "from accepted to final", format: duration, logarithmic: true },
      lines: [
        { label: "machine, median", colour: "--accent", values: n.time.machine_median },
        { label: "machine, 95 of 100", colour: "--accent", values: n.time.machine_p95, dashed: true },
        { label: "people, median", colour: "--escalate", values: n.time.people_median },
        { label: "people, 95 of 100", colour: "--escalate", values: n.time.people_p95, dashed: true },
      ],
    },
    {
      title: "Agreement",
      now: said(last(n.agreement.people), percent, "between people"),
      empty: "No task was settled in this time.",
      left: { ...PERCENT, unit: "% of votes, of settled tasks" },
      lines: [
        { label: "between people", colour: "--accent", values: n.agreement.people },
        { label: "model with people", colour: "--limit", values: n.agreement.model },
      ],
    },
    {
      title: "Model versions",
      now: busy.length ? `${busy.length} in use` : "—",
      empty: "No model decided in this time.",
      left: { unit: `decisions in ${duration(n.step)}`, format: count, least: 5 },
      stacked: true,
      lines: busy.map((model, at) => ({
        label: model.name,
        colour: COLOURS[at % COLOURS.length] ?? "--accent",
        values: model.values,
      })),
    },
  ];
}

export function isEmpty(chart: Chart): boolean {
  return chart.lines.every((line) => line.values.every((value) => !value));
}
