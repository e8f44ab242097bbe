import { useEffect, useState } from "preact/hooks";
import { api, type Problem } from "./api";
import type { Failed } from "./failed";
import { kept } from "./drafts";
import type { Remembered } from "./types";
import { categoryName, doneName, since } from "./words";

/** A person's own last verdicts. */
export function History({ failed }: { failed: Failed }) {
  const [rows, setRows] = useState<Remembered[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    document.title = "History · Sluicegate";
    api.history().then(setRows, (error) => setProblem(failed(error)));
  }, [failed]);

  return (
    <main class="page">
      <h1>Your last verdicts</h1>
      {problem && <p class="notice bad" role="alert"><strong>{problem.title}.</strong> {problem.message}</p>}
      {rows?.some((row) => row.text === null) && (
        <p class="faint">
          Older texts are not shown: no text is kept once its task is over, so that what its author withdraws stays nowhere.
        </p>
      )}
      {rows?.length === 0 && <p class="notice">None yet. What you decide is listed here.</p>}
      <ul class={kept("blur", false) ? "history blurred" : "history"}>
        {rows?.map((row) => (
          <li key={row.verdict_id} class={row.taken_back ? "back" : ""}>
            <span class={`verdict ${row.action}`}>{row.taken_back ? "Taken back" : doneName(row.action)}</span>
            <span class="what">
              <span dir="auto" class="text">{row.text ?? row.task_id}</span>
              <small class="faint">
                {[row.queue, ...row.categories.map(categoryName)].join(" · ")}
              </small>
            </span>
            <time class="faint" dateTime={row.decided_at}>{since(row.decided_at)} ago</time>
          </li>
        ))}
      </ul>
    </main>
  );
}
