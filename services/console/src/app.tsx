/** The frame: who is logged in, which page is shown, and the line that screen readers are told. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { api, Problem } from "./api";
import type { Failed } from "./failed";
import { History } from "./history";
import { Login } from "./login";
import { Mark } from "./mark";
import { Queues } from "./queues";
import type { Me } from "./types";
import { Desk } from "./work/desk";

export function App() {
  const [me, setMe] = useState<Me | null | undefined>(undefined);
  const [page, setPage] = useState(location.hash);

  useEffect(() => {
    const turned = () => setPage(location.hash);
    addEventListener("hashchange", turned);
    api.me().then(setMe, () => setMe(null));
    return () => removeEventListener("hashchange", turned);
  }, []);

  /** What can be shown of an error; a session that has ended shows the login instead. */
  const failed = useCallback<Failed>((error) => {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) {
      setMe(null);
      return null;
    }
    return error;
  }, []);

  if (me === undefined) return null;
  if (me === null) return <Login done={setMe} />;

  const [, name, queue] = page.split("/");
  const logout = () => api.logout().finally(() => setMe(null));
  return (
    <div class="frame">
      <header class="bar">
        <a class="brand" href="#/">
          <Mark />
          <span>Sluicegate</span>
        </a>
        <nav aria-label="Pages">
          <a href="#/" aria-current={name ? undefined : "page"}>Queues</a>
          <a href="#/history" aria-current={name === "history" ? "page" : undefined}>History</a>
          <a href={me.charts_url} class="wide">Charts</a>
        </nav>
        <div class="who">
          <span class="wide" title={me.role}>{me.name}</span>
          <button type="button" class="quiet" onClick={logout}>Log out</button>
        </div>
      </header>
      {name === "work" && queue ? (
        <Desk key={queue} queue={decodeURIComponent(queue)} failed={failed} />
      ) : name === "history" ? (
        <History failed={failed} />
      ) : (
        <Queues me={me} failed={failed} />
      )}
    </div>
  );
}
