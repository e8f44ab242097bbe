/** The post in large type, with what helps to judge it. */

import { pieces, strength } from "../spans";
import type { Task } from "../types";
import { categoryName, figure, since } from "../words";

const DEEP = 4; // levels of context that are shown

export function Post({ task, blur, reveal }: { task: Task; blur: boolean; reveal: () => void }) {
  const { item } = task;
  const text = item.text ?? "";
  const long = text.length > 600;
  return (
    <article class="post" aria-label="The post">
      <ul class="facts">
        <li>{item.kind}</li>
        {item.author && (
          <li title={item.author.created_at ? `account made ${since(item.author.created_at)} ago` : undefined}>
            by <bdi>{item.author.id}</bdi>
            {item.author.created_at && <span class="faint"> · {since(item.author.created_at)} old</span>}
          </li>
        )}
        {item.language && <li lang={item.language}>{item.language}</li>}
        {item.reach !== null && <li>reach {figure.format(item.reach)}</li>}
        <li>{since(task.accepted_at ?? task.requested_at)} ago</li>
        {task.copies_waiting > 0 && (
          <li class="copies" title="They are decided as this one is">{copiesWait(task.copies_waiting)}</li>
        )}
        {task.revision > 1 && <li>revision {task.revision}</li>}
        {task.near && (
          <li class="tag" title="Posts that are nearly the same come one after another. Each is decided by itself.">
            {figure.format(task.near.place)} of {figure.format(task.near.of)} like this
          </li>
        )}
      </ul>
      {item.context && Object.keys(item.context).length > 0 && (
        <details class="context" open>
          <summary>Context</summary>
          <Context value={item.context} depth={0} />
        </details>
      )}
      <div class={blur ? "body blurred" : "body"}>
        <p class={long ? "text long" : "text"} dir="auto" lang={item.language ?? undefined} aria-hidden={blur}>
          {pieces(text, task.explanation).map((piece) => {
            const level = strength(piece, task.explanation);
            if (!level) return piece.text;
            const names = [...new Set(piece.spans.map((span) => span.category).filter((name) => name !== null))];
            return (
              <mark class={`level${level}`} title={names.length ? `speaks for ${names.map(categoryName).join(", ")}` : undefined}>
                {piece.text}
              </mark>
            );
          })}
          {!text && <span class="faint">No text.</span>}
        </p>
        {blur && (
          <button type="button" class="reveal" onClick={reveal}>
            Blurred. Show it <kbd>B</kbd>
          </button>
        )}
      </div>
      {item.media.length > 0 && (
        <ul class="media">
          {item.media.map((each) => (
            <li key={each.url}>
              {each.media_type ?? "media"}{" "}
              {safe(each.url) ? (
                <a href={each.url} target="_blank" rel="noreferrer noopener">{each.url}</a>
              ) : (
                <span class="faint">{each.url}</span>
              )}
            </li>
          ))}
        </ul>
      )}
      <p class="id faint">{task.task_id}</p>
    </article>
  );
}

function copiesWait(count: number): string {
  return count === 1 ? "1 copy waits for this" : `${figure.format(count)} copies wait for this`;
}

/** Whether a platform's URL is one that a browser may be sent to. */
function safe(url: string): boolean {
  return /^https?:\/\//i.test(url);
}

/** Whatever a platform sends as context: names and values, nested. */
function Context({ value, depth }: { value: unknown; depth: number }) {
  if (value === null || typeof value !== "object") return <span dir="auto">{String(value)}</span>;
  if (depth >= DEEP) return <span dir="auto">{JSON.stringify(value)}</span>;
  if (Array.isArray(value)) {
    return <ul>{value.map((each) => <li><Context value={each} depth={depth + 1} /></li>)}</ul>;
  }
  return (
    <dl>
      {Object.entries(value).map(([name, each]) => (
        <div key={name}>
          <dt>{name.replaceAll("_", " ")}</dt>
          <dd><Context value={each} depth={depth + 1} /></dd>
        </div>
      ))}
    </dl>
  );
}
