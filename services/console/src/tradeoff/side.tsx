// One of the two risks: its slider, what is certified at the stop chosen, and its curve.

import { useId } from "preact/hooks";
import type { Estimate, Stop } from "./data";
import { Plot, type Shown } from "./plot";
import { percent, threshold, whole } from "./words";

export interface Side {
  title: string;
  question: string; // what the risk is a share of
  stops: Stop[];
  at: number;
  choose: (at: number) => void;
  decided: string; // "removed from 0.97 on" begins so
  toward: string; // "on" or "down"
  wanting: string; // what more are needed of
  shown: Shown;
  today: { threshold: number | null; risk: Estimate | null };
  dark: boolean;
}

function interval(risk: Estimate): string {
  return `${percent(risk.value)}, between ${percent(risk.low)} and ${percent(risk.high)}`;
}

export function SideCard(side: Side) {
  const id = useId();
  const stop = side.stops[side.at];
  if (!stop) return null;
  const certified =
    stop.threshold === null
      ? `not certified: ${whole(stop.needed)} more ${side.wanting} are needed, so people decide`
      : `certified: ${side.decided} ${threshold(stop.threshold)} ${side.toward}`;
  return (
    <section class="card side" style={{ "--own": `var(${side.shown.colour})` }} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{side.title}</h2>
        <output class="limit" for={id}>
          at most {percent(stop.risk)}
        </output>
      </header>
      <label for={id}>{side.question}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={side.stops.length - 1}
        step={1}
        value={side.at}
        aria-valuetext={`at most ${percent(stop.risk)}, ${certified}`}
        onInput={(event) => side.choose(Number(event.currentTarget.value))}
      />
      <p class="ends" aria-hidden="true">
        <span>{percent(side.stops[0]?.risk ?? 0)}</span>
        <span>{percent(side.stops.at(-1)?.risk ?? 0)}</span>
      </p>
      <p class={`certified ${stop.threshold === null ? "not" : ""}`}>{certified}</p>
      <p class="units">
        <span>risk</span>
        <span>people’s share of items</span>
      </p>
      <Plot shown={side.shown} dark={side.dark} />
      <ul class="legend">
        <li class="estimate">estimated, with its interval</li>
        <li class="frontier">certified</li>
        {side.shown.today && <li class="today">today</li>}
        {side.shown.chosen && <li class="chosen">chosen</li>}
      </ul>
      <p class="faint now">
        Today {side.decided} {threshold(side.today.threshold)} {side.today.threshold === null ? "" : side.toward}
        {side.today.risk ? `; estimated risk ${interval(side.today.risk)}.` : "."}
      </p>
    </section>
  );
}
