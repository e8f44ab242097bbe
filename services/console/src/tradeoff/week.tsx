// What a move of the sliders would have done to last week.

import type { Estimate, Move, Tradeoff } from "./data";
import { acted, signed, some, whole } from "./words";

interface Row {
  name: string;
  of: (move: Move) => number | null;
  detail?: (move: Move) => Estimate | null;
  format?: (value: number) => string;
}

function Cell({ row, move }: { row: Row; move: Move }) {
  const value = row.of(move);
  const detail = row.detail?.(move);
  return (
    <td>
      {value === null ? "—" : (row.format ?? whole)(value)}
      {detail && (
        <small>
          {whole(detail.low)}–{whole(detail.high)}
        </small>
      )}
    </td>
  );
}

export function Week({ told, chosen }: { told: Tradeoff; chosen: Move | null }) {
  const now = told.today.move;
  const queues = [...new Set([...now.queues, ...(chosen?.queues ?? [])].map((each) => each.queue))].sort();
  const load = (queue: string) => (move: Move) => move.queues.find((each) => each.queue === queue) ?? { reviews: 0, hours: 0 };
  const action = acted[told.action] ?? told.action;
  const rows: Row[] = [
    { name: `${action} by machine`, of: (move) => move.removed },
    { name: "allowed by machine", of: (move) => move.allowed },
    { name: "sent to people", of: (move) => move.people },
    { name: `of what ${told.category.replaceAll("_", " ")} ${action}: fine`, of: (move) => move.wrong?.value ?? null, detail: (move) => move.wrong },
    { name: "violating, but low enough to be allowed", of: (move) => move.missed?.value ?? null, detail: (move) => move.missed },
  ];
  const daily: Row[] = [
    ...queues.map((queue) => ({ name: `reviews in ${queue}`, of: (move: Move) => load(queue)(move).reviews, format: some })),
    { name: "hours of reviewers", of: (move) => move.hours, format: some },
  ];
  const section = (title: string, of: Row[]) => (
    <tbody>
      <tr class="title">
        <th colSpan={chosen ? 4 : 2} scope="rowgroup">
          {title}
        </th>
      </tr>
      {of.map((row) => {
        const before = row.of(now);
        const after = chosen ? row.of(chosen) : null;
        return (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            <Cell row={row} move={now} />
            {chosen && <Cell row={row} move={chosen} />}
            {chosen && <td class="change">{before === null || after === null ? "" : signed(after - before, row.format ?? whole)}</td>}
          </tr>
        );
      })}
    </tbody>
  );
  return (
    <section class="card week" aria-labelledby="week">
      <h2 id="week">{chosen ? "What this would have done to last week" : "Last week, by today’s thresholds"}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="week">
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">today</th>
              {chosen && <th scope="col">chosen</th>}
              {chosen && <th scope="col">change</th>}
            </tr>
          </thead>
          {section("items in the week", rows)}
          {section("a day", daily)}
        </table>
      </div>
      <p class="faint">
        {whole(told.week.items)} items of the last {told.week.days} days, as their scores say: with neither switch, alarms, caps nor a budget of reviews.
        {told.week.fixed > 0 && ` ${whole(told.week.fixed)} more were decided by rules or as copies, whatever the scores.`}
        {told.week.elsewhere > 0 && ` ${whole(told.week.elsewhere)} more were scored by other models.`}
      </p>
    </section>
  );
}
