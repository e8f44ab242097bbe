// A chart with its title, the latest value in words, and a legend that shows the values under the pointer.

import { useState } from "preact/hooks";
import { type Axis, type Chart, isEmpty, type Line } from "./charts";
import { Plot } from "./plot";
import { clock } from "./units";

function axisOf(chart: Chart, line: Line): Axis {
  return line.right && chart.right ? chart.right : chart.left;
}

export function Card({ chart, times, dark }: { chart: Chart; times: number[]; dark: boolean }) {
  const [point, setPoint] = useState<number | null>(null);
  const empty = isEmpty(chart);
  const at = point !== null ? times[point] : undefined;
  return (
    <section class="card" aria-label={`${chart.title}: ${empty ? chart.empty : chart.now}`}>
      <header>
        <h2>{chart.title}</h2>
        <p class="now">{chart.now}</p>
      </header>
      <p class="units">
        <span>{chart.left.unit}</span>
        {chart.right && <span>{chart.right.unit}</span>}
      </p>
      <div class="canvas">
        <Plot chart={chart} times={times} dark={dark} onPoint={setPoint} />
        {empty && <p class="nothing">{chart.empty}</p>}
      </div>
      <ul class="legend">
        {chart.lines.map((line) => {
          const value = point === null ? undefined : line.values[point];
          return (
            <li key={line.label} title={line.label}>
              <i style={{ color: `var(${line.colour})` }} class={line.dashed ? "dashed" : chart.stacked ? "block" : ""} />
              <span class="label">{line.label}</span>
              {value != null && <b>{axisOf(chart, line).format(value)}</b>}
            </li>
          );
        })}
        {at !== undefined && <li class="at">{clock(at)}</li>}
      </ul>
    </section>
  );
}
