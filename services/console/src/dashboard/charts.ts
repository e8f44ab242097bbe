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
  logarithmic?: boolean; // of durations
  durations?: boolean; // ticks at 30 s, 1 min, 5 min …
}

export interface Chart {
  title: string;
  now: string; // of the whole span, in words; of a queue, as it stands
  empty: string; // what is said where there is nothing
  left: Axis;
  right?: Axis;
  lines: Line[];
  stacked?: boolean;
}

const COLOURS = ["--accent", "--escalate", "--limit", "--allow", "--remove", "--faint"];
const PERCENT: Axis = { unit: "%", format: (value) => count(value), top: 100 };

function said(value: number | null, format: (value: number) => string, rest: string): string {
  return value === null ? "—" : `${format(value)} ${rest}`;
}

export function charts(n: Numbers): Chart[] {
  const oldest = n.queue.oldest_seconds.at(-1) ?? null;
  const busy = n.models.filter((model) => model.values.some((value) => value));
  return [
    {
      title: "Volume",
      now: said(n.span.received, count, "items a minute"),
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
      now: said(n.span.automated, percent, "of decisions by machine"),
      empty: "Nothing was decided in this time.",
      left: { ...PERCENT, unit: "% of final decisions" },
      lines: [{ label: "by machine", colour: "--accent", values: n.automated.percent, fill: true }],
    },
    {
      title: "Queue",
      now: `${said(n.queue.open.at(-1) ?? null, count, "open now")}${oldest === null ? "" : `, oldest ${duration(oldest)}`}`,
      empty: "Nobody was asked in this time.",
      left: { unit: "open tasks", format: count, least: 5 },
      right: { unit: "age of the oldest", format: duration, least: 60, durations: true },
      lines: [
        { label: "open tasks", colour: "--accent", values: n.queue.open, fill: true },
        { label: "age of the oldest", colour: "--limit", values: n.queue.oldest_seconds, right: true, dashed: true },
      ],
    },
    {
      title: "Time to decision",
      now: [
        { value: n.span.machine, who: "machine" },
        { value: n.span.people, who: "people" },
      ]
        .filter(({ value }) => value !== null)
        .map(({ value, who }) => said(value, duration, who))
        .join(", ") || "—",
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
      now: said(n.span.agreement, percent, "between people"),
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
