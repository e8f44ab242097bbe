// One chart, drawn by uPlot in the colours of the page.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Axis, Chart } from "./charts";
import { clock } from "./units";

const HEIGHT = 220;

/** Sums from below, so that the last line drawn is the lowest: what is drawn, as opposed to what is said. */
function drawn(chart: Chart): (number | null)[][] {
  if (!chart.stacked) return chart.lines.map((line) => line.values);
  const sums: number[] = [];
  return chart.lines.map((line) => line.values.map((value, at) => (sums[at] = (sums[at] ?? 0) + (value ?? 0))));
}

/** The order in which lines are drawn: stacked ones from the highest sum down. */
function order(chart: Chart): number[] {
  const all = chart.lines.map((_, at) => at);
  return chart.stacked ? all.reverse() : all;
}

const SHORT = 6; // buckets without a value that a line goes across

/** Points are drawn only where a line would not show: at a value with no other one near. */
function alone(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  const there: number[] = [];
  for (let at = 0; at < values.length; at++) if (values[at] != null) there.push(at);
  return there.filter((at, n) => at - (there[n - 1] ?? -Infinity) > SHORT && (there[n + 1] ?? Infinity) - at > SHORT);
}

/** Of the gaps of a line, those that are long enough to mean something. */
function long(plot: uPlot, _: number, __: number, ___: number, gaps: uPlot.Series.Gaps): uPlot.Series.Gaps {
  const bucket = plot.bbox.width / (plot.data[0]?.length ?? 1);
  return gaps.filter(([from, to]) => to - from > SHORT * bucket);
}

const ROUND = [0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36_000, 360_000, 3_600_000]; // s: 10 min, 1 h, 10 h …
const WHOLE = [1, 2, 5].flatMap((n) => Array.from({ length: 12 }, (_, power) => n * 10 ** power)).sort((a, b) => a - b);
const SPANS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 172_800, 604_800];

const TIMES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800];

/** The round durations that the values lie between. */
function between(low: number | null, high: number | null): [number, number] {
  const from = ROUND.filter((each) => each <= (low || 0.1)).at(-1) ?? ROUND[0]!;
  const to = ROUND.find((each) => each >= (high || 10) && each > from) ?? ROUND.at(-1)!;
  return [from, to];
}

function scale(axis: Axis): uPlot.Scale {
  if (axis.logarithmic) return { distr: 3, range: (_, low, high) => between(low, high) };
  return { range: (_, __, high) => [0, axis.top ?? Math.max(axis.least ?? 1, (high ?? 0) * 1.08)] };
}

function options(chart: Chart, width: number, span: number, step: number, colour: (name: string) => string): uPlot.Options {
  const faint = colour("--faint");
  const grid = { stroke: colour("--line"), width: 1 };
  const font = `12px ${colour("--sans")}`;
  const axis = (of: Axis, name: string, right: boolean): uPlot.Axis => ({
    scale: name,
    side: right ? 1 : 3,
    stroke: faint,
    font,
    size: 58,
    grid: right ? { show: false } : grid,
    ticks: { show: false },
    values: (_, splits) => splits.map((value) => (value === null ? "" : of.format(value))),
    ...(of.logarithmic
      ? { filter: (_: uPlot, splits: number[]) => splits, splits: (_: uPlot, __: number, low: number, high: number) => ROUND.filter((each) => each >= low && each <= high) }
      : { incrs: of.durations ? SPANS : WHOLE }),
  });
  const bars = uPlot.paths.bars?.({ size: [0.9, 40], align: 1 });
  return {
    width,
    height: HEIGHT,
    padding: [8, chart.right ? 0 : 12, 0, 0],
    cursor: { y: false, points: { size: 7 }, sync: { key: "dashboard" } },
    legend: { show: false },
    scales: { x: { time: true, range: (_, from, to) => [from, to + step] }, left: scale(chart.left), ...(chart.right ? { right: scale(chart.right) } : {}) },
    axes: [
      {
        stroke: faint,
        font,
        grid: { show: false },
        ticks: { ...grid, size: 4 },
        space: 64,
        incrs: TIMES,
        size: 34,
        values: (_, splits) => splits.map((at) => clock(at, span < 600)),
      },
      axis(chart.left, "left", false),
      ...(chart.right ? [axis(chart.right, "right", true)] : []),
    ],
    series: [
      {},
      ...order(chart).map((at): uPlot.Series => {
        const line = chart.lines[at]!;
        const stroke = colour(line.colour);
        return {
          scale: line.right ? "right" : "left",
          stroke,
          width: chart.stacked ? 0 : 1.75,
          ...(chart.stacked ? { fill: stroke, points: { show: false } } : { points: { show: true, size: 5, filter: alone }, gaps: long }),
          ...(chart.stacked && bars ? { paths: bars } : {}),
          ...(line.fill ? { fill: `color-mix(in srgb, ${stroke} 14%, transparent)` } : {}),
          ...(line.dashed ? { dash: [5, 4] } : {}),
        };
      }),
    ],
  };
}

export function Plot({ chart, times, dark, onPoint }: {
  chart: Chart;
  times: number[];
  dark: boolean;
  onPoint: (at: number | null) => void;
}) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = chart.lines.map((line) => line.label + line.colour).join("|") + times.length;

  // A new plot where colours or lines change; else only new data, so that the pointer keeps its place.
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
    const made = new uPlot(options(chart, element.clientWidth, span, (times[1] ?? 60) - (times[0] ?? 0), colour), [times], element);
    made.hooks.setCursor = [(of: uPlot) => onPoint(of.cursor.idx ?? null)];
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, dark]);

  useEffect(() => {
    const values = drawn(chart);
    plot.current?.setData([times, ...order(chart).map((at) => values[at] ?? [])] as uPlot.AlignedData);
  }, [chart, times, shape, dark]);

  return <div class="plot" ref={holder} aria-hidden="true" />;
}
