// A risk against people's share: the estimate with its interval, what is certified, today's point and the chosen one.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Estimate } from "./data";

export interface Dot {
  x: number; // people's share, in percent
  y: number; // the risk, in percent
}

export interface Shown {
  colour: string; // a custom property of base.css
  top: number; // end of the risk's scale, in percent
  curve: (Dot & Pick<Estimate, "low" | "high">)[];
  certified: Dot[];
  today: Dot | null;
  chosen: Dot | null;
}

const HEIGHT = 250;
type Row = (number | null)[];

/** Every point has an x of its own; a series has a value at its own ones. */
function aligned(shown: Shown): uPlot.AlignedData {
  const rows: { x: number; values: Row }[] = [
    ...shown.curve.map((dot) => ({ x: dot.x, values: [dot.high, dot.low, dot.y, null, null, null] })),
    ...shown.certified.map((dot) => ({ x: dot.x, values: [null, null, null, dot.y, null, null] })),
    ...(shown.today ? [{ x: shown.today.x, values: [null, null, null, null, shown.today.y, null] }] : []),
    ...(shown.chosen ? [{ x: shown.chosen.x, values: [null, null, null, null, null, shown.chosen.y] }] : []),
  ].sort((a, b) => a.x - b.x);
  return [rows.map((row) => row.x), ...[0, 1, 2, 3, 4, 5].map((at) => rows.map((row) => row.values[at] ?? null))] as uPlot.AlignedData;
}

function options(shown: Shown, width: number, colour: (name: string) => string): uPlot.Options {
  const own = colour(shown.colour);
  const ink = colour("--ink");
  const soft = `color-mix(in srgb, ${own} 16%, transparent)`;
  const axis = { stroke: colour("--faint"), font: `12px ${colour("--sans")}`, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const said = (_: uPlot, splits: number[]): string[] => splits.map((value) => `${Number(value.toFixed(2))}%`);
  const hidden = { points: { show: false }, spanGaps: true };
  const only = { paths: () => null };
  return {
    width,
    height: HEIGHT,
    padding: [10, 24, 0, 0],
    cursor: { show: false },
    legend: { show: false },
    scales: { x: { time: false, range: [0, 100] }, y: { range: [0, shown.top] } },
    axes: [
      { ...axis, size: 34, space: 44, values: said },
      { ...axis, size: 50, values: said },
    ],
    bands: [{ series: [1, 2], fill: soft }],
    series: [
      {},
      { ...hidden, width: 0, stroke: "transparent" },
      { ...hidden, width: 0, stroke: "transparent" },
      { ...hidden, stroke: own, width: 2 },
      { stroke: ink, width: 1.5, dash: [2, 4], spanGaps: true, points: { show: true, size: 6, fill: ink, stroke: ink } },
      { ...only, stroke: ink, points: { show: true, size: 11, fill: colour("--sheet"), stroke: ink, width: 3 } },
      { ...only, stroke: own, points: { show: true, size: 13, fill: own, stroke: colour("--sheet"), width: 2 } },
    ],
  };
}

export function Plot({ shown, dark }: { shown: Shown; dark: boolean }) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const made = new uPlot(options(shown, element.clientWidth, colour), aligned(shown), element);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shown.colour, shown.top, dark]);

  useEffect(() => plot.current?.setData(aligned(shown)), [shown]);

  return <div class="plot" ref={holder} aria-hidden="true" />;
}
