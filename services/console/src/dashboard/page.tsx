// The page: six charts of one span of time, fetched again and again while somebody looks.

import { useEffect, useState } from "preact/hooks";
import { useDark } from "../dark";
import { Card } from "./card";
import { charts } from "./charts";
import { fetchNumbers, type Numbers } from "./data";
import { clock } from "./units";

const SPANS = [
  { minutes: 5, label: "5 min" },
  { minutes: 15, label: "15 min" },
  { minutes: 60, label: "1 h" },
  { minutes: 360, label: "6 h" },
  { minutes: 1440, label: "24 h" },
  { minutes: 10_080, label: "7 d" },
];
const REFRESH = 5000; // ms
const SELDOM = 30_000; // ms, for spans of a day and more

function spanOf(hash: string): number {
  const asked = Number(hash.replace("#", ""));
  return SPANS.some((span) => span.minutes === asked) ? asked : 60;
}

export function Page() {
  const [minutes, setMinutes] = useState(spanOf(location.hash));
  const [numbers, setNumbers] = useState<Numbers | null>(null);
  const [problem, setProblem] = useState("");
  const dark = useDark();

  useEffect(() => {
    const changed = (): void => setMinutes(spanOf(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);

  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const load = async (): Promise<void> => {
      clearTimeout(timer);
      if (!document.hidden) {
        try {
          setNumbers(await fetchNumbers(minutes, stop.signal));
          setProblem("");
        } catch (error) {
          if (!stop.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
        }
      }
      if (!stop.signal.aborted) timer = window.setTimeout(load, minutes >= 1440 ? SELDOM : REFRESH);
    };
    const shown = (): void => void (document.hidden || load());
    document.addEventListener("visibilitychange", shown);
    void load();
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", shown);
    };
  }, [minutes]);

  return (
    <main class="dashboard">
      <header class="top">
        <h1>How moderation goes</h1>
        <p class="faint" role="status">
          {problem
            ? `No new numbers (${problem})${numbers ? `; these are of ${clock(numbers.now, true)}` : ""}`
            : numbers
              ? `as of ${clock(numbers.now, true)}; figures above the charts are of all the time shown`
              : "loading…"}
        </p>
        <a href="./tradeoff">Risks</a>
        <nav aria-label="Span of time">
          {SPANS.map((span) => (
            <a key={span.minutes} href={`#${span.minutes}`} {...(span.minutes === minutes ? { "aria-current": "true" as const } : {})}>
              {span.label}
            </a>
          ))}
        </nav>
      </header>
      <div class="cards">
        {numbers && charts(numbers).map((chart) => <Card key={chart.title} chart={chart} times={numbers.t} dark={dark} />)}
      </div>
    </main>
  );
}
