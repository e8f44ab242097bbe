import { useEffect, useRef, useState } from "preact/hooks";
import { api, Problem } from "./api";
import { Mark } from "./mark";
import type { Me } from "./types";

export function Login({ done }: { done: (me: Me) => void }) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = "Log in · Sluicegate";
    first.current?.focus();
  }, []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setError("");
    try {
      done(await api.login(String(form.get("name")).trim(), String(form.get("password"))));
    } catch (problem) {
      setError(problem instanceof Problem ? `${problem.title}. ${problem.message}` : String(problem));
      setBusy(false);
      first.current?.select();
    }
  };

  return (
    <main class="login">
      <form onSubmit={submit} aria-labelledby="login-title">
        <h1 id="login-title"><Mark /> Sluicegate</h1>
        <p class="faint">Review what machines could not decide alone.</p>
        <label>
          Name
          <input ref={first} name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required />
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <p class="error" role="alert">{error}</p>
        <button type="submit" class="primary" disabled={busy}>{busy ? "Logging in…" : "Log in"}</button>
      </form>
    </main>
  );
}
