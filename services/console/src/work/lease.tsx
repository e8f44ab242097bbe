import { useEffect, useState } from "preact/hooks";
import { clock } from "../words";

/** How long the task stays with this person. Read out only when it matters: colour is not the only sign. */
export function Lease({ until, whole }: { until: number; whole: number }) {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const left = (until - now) / 1000;
  const low = until - now < Math.min(30_000, whole / 4);
  return (
    <span class={low ? "lease low" : "lease"} role="timer" title="The task is yours for so long">
      {left > 0 ? <>yours for <b>{clock(left)}</b></> : <b>lease over</b>}
    </span>
  );
}
