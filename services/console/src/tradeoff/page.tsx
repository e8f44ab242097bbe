// The page: two sliders over the risks of one category, and what they come to.

import { useEffect, useMemo, useState } from "preact/hooks";
import { useDark } from "../dark";
import { type Answer, fetchTradeoff, type Move, type Point, type Stop, type Tradeoff } from "./data";
import type { Dot, Shown } from "./plot";
import { Recipe } from "./recipe";
import { SideCard } from "./side";
import { Week } from "./week";
import { acted, percent, whole } from "./words";

const CONFIDENCES = [0.9, 0.95, 0.99];

function categoryOf(hash: string): string {
  return decodeURIComponent(hash.replace("#", ""));
}

/** The stop at a risk that is stated, or the nearest below. */
function stopAt(stops: Stop[], risk: number): number {
  return Math.max(0, stops.filter((stop) => stop.risk <= risk + 1e-9).length - 1);
}

function shown(colour: string, points: Point[], people: (items: number) => number, certified: Dot[], today: Dot | null, chosen: Dot | null): Shown {
  const curve = points.flatMap(({ value, low, high, items }) =>
    value === undefined || low === undefined || high === undefined ? [] : [{ x: people(items), y: 100 * value, low: 100 * low, high: 100 * high }],
  );
  const highest = Math.max(10, ...certified.map((dot) => dot.y), (today?.y ?? 0) * 1.15, (chosen?.y ?? 0) * 1.15);
  return { colour, top: Math.min(100, Math.ceil(highest / 5) * 5), curve, certified, today, chosen };
}

function Sliders({ told, dark }: { told: Tradeoff; dark: boolean }) {
  const [at, setAt] = useState(() => ({ wrong: stopAt(told.removals, told.asked.wrong_removals), missed: stopAt(told.allowances, told.asked.missed) }));
  const chosen: Move | undefined = told.moves[at.wrong]?.[at.missed];
  const total = told.week.items;
  const sides = useMemo(() => {
    if (!chosen) return null;
    const share = (people: number): number => (100 * Math.max(0, people)) / total;
    const now = told.today;
    const dots = (stops: Stop[], move: (at: number) => Move | undefined): Dot[] =>
      stops.flatMap((stop, each) => {
        const found = move(each);
        return stop.threshold === null || !found ? [] : [{ x: share(found.people), y: 100 * stop.risk }];
      });
    const dot = (stop: Stop | undefined): Dot | null => (stop?.threshold == null ? null : { x: share(chosen.people), y: 100 * stop.risk });
    const point = (risk: { value: number } | null): Dot | null => (risk ? { x: share(now.move.people), y: 100 * risk.value } : null);
    return {
      wrong: shown("--remove", told.curves.wrong_removals, (items) => share(total - items - chosen.allowed), dots(told.removals, (each) => told.moves[each]?.[at.missed]), point(now.wrong_removals), dot(told.removals[at.wrong])),
      missed: shown("--escalate", told.curves.missed, (items) => share(total - items - chosen.removed), dots(told.allowances, (each) => told.moves[at.wrong]?.[each]), point(now.missed), dot(told.allowances[at.missed])),
    };
  }, [told, at, chosen, total]);
  const risks = { wrong_removals: told.removals[at.wrong]?.risk ?? 0, missed: told.allowances[at.missed]?.risk ?? 0 };
  if (!chosen || !sides) return null;
  return (
    <>
      <p class="sum" role="status">
        People would see <b>{percent(chosen.people / total)}</b> of items; today they see <b>{percent(told.today.move.people / total)}</b>.
      </p>
      <div class="sides">
        <SideCard
          title="Wrong removals"
          question={`Of what is ${acted[told.action] ?? told.action} by machine, how much may have been fine?`}
          stops={told.removals}
          at={at.wrong}
          choose={(wrong) => setAt({ ...at, wrong })}
          decided={`${acted[told.action] ?? told.action} from a score of`}
          toward="up"
          wanting="labels among the highest scores"
          shown={sides.wrong}
          today={{ threshold: told.today.remove, risk: told.today.wrong_removals }}
          dark={dark}
        />
        <SideCard
          title="Missed"
          question="Of what violates, how much may be allowed by machine?"
          stops={told.allowances}
          at={at.missed}
          choose={(missed) => setAt({ ...at, missed })}
          decided="allowed from a score of"
          toward="down"
          wanting="violating labels"
          shown={sides.missed}
          today={{ threshold: told.today.allow, risk: told.today.missed }}
          dark={dark}
        />
      </div>
      <div class="below">
        <Week told={told} chosen={chosen} />
        <Recipe told={told} risks={risks} />
      </div>
    </>
  );
}

function TooFew({ told }: { told: Tradeoff }) {
  const wanting = told.least_violating - told.violating;
  return (
    <>
      <div class="notice few">
        <h2>
          {whole(wanting)} more violating {wanting === 1 ? "label is" : "labels are"} needed
        </h2>
        <p>
          There {told.labels === 1 ? "is 1 label" : `are ${whole(told.labels)} labels`} that this model has not learned from;{" "}
          {whole(told.violating)} of them {told.violating === 1 ? "violates" : "violate"}. With fewer than{" "}
          {whole(told.least_violating)} nothing can be said of what would be missed, so nothing is drawn.
        </p>
        {told.why.length > 0 && (
          <>
            <p>For at most {percent(told.asked.wrong_removals)} wrong removals and {percent(told.asked.missed)} missed, {percent(told.confidence)} sure:</p>
            <ul>
              {told.why.map((reason) => (
                <li key={reason}>{reason}</li>
              ))}
            </ul>
          </>
        )}
        <p>
          To get there, raise <code>audit.share</code> in the policy, or put in what <code>sluicegate policy tune --plan</code> prints: it says
          where to draw, so that few labels say much.
        </p>
      </div>
      <Week told={told} chosen={null} />
    </>
  );
}

function Body({ told, dark }: { told: Tradeoff; dark: boolean }) {
  if (!told.drawable) return <TooFew told={told} />;
  if (!told.week.items)
    return (
      <p class="notice">
        In the last {told.week.days} days nothing was decided by scores of {told.model_version}: there is no week to try thresholds on. Come back
        when it has scored some.
      </p>
    );
  return <Sliders key={`${told.category} ${told.confidence}`} told={told} dark={dark} />;
}

export function Page() {
  const [category, setCategory] = useState(categoryOf(location.hash));
  const [confidence, setConfidence] = useState(0.95);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [problem, setProblem] = useState("");
  const dark = useDark();

  useEffect(() => {
    const changed = (): void => setCategory(categoryOf(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);

  useEffect(() => {
    const stop = new AbortController();
    setProblem("");
    fetchTradeoff(category, confidence, stop.signal)
      .then(setAnswer)
      .catch((error: unknown) => {
        if (!stop.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
      });
    return () => stop.abort();
  }, [category, confidence]);

  const told = answer && answer.missing === undefined ? answer : null;
  return (
    <main class="tradeoff">
      <header class="top">
        <h1>What automation may risk</h1>
        <a href="./">Charts</a>
        <label class="sure">
          How sure
          <select value={confidence} onChange={(event) => setConfidence(Number(event.currentTarget.value))}>
            {CONFIDENCES.map((each) => (
              <option key={each} value={each}>
                {percent(each)}
              </option>
            ))}
          </select>
        </label>
      </header>
      {told && (
        <nav aria-label="Category">
          {told.categories.map((each) => (
            <a key={each} href={`#${encodeURIComponent(each)}`} {...(each === told.category ? { "aria-current": "true" as const } : {})}>
              {each.replaceAll("_", " ")}
            </a>
          ))}
        </nav>
      )}
      <p class="faint facts" role="status">
        {problem
          ? `No answer: ${problem}`
          : told
            ? `${told.model_version}, ${told.policy_version}; ${whole(told.labels)} labels, ${whole(told.violating)} violating` +
              (told.left_out ? `; ${whole(told.left_out)} left out, since the model has seen them` : "")
            : answer
              ? ""
              : "loading…"}
      </p>
      {answer && !told && <p class="notice">{answer.missing}</p>}
      {told && <Body told={told} dark={dark} />}
    </main>
  );
}
