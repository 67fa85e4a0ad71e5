import { useState } from "preact/hooks";
import { ApiError } from "../../api/client.ts";
import { signIn } from "../../api/session.ts";
import "./sign-in.css";

export function SignIn({ onDone, hint }: { onDone: () => void; hint?: string | undefined }) {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await signIn(token.trim());
      onDone();
    } catch (thrown) {
      setError(thrown instanceof ApiError ? thrown.message : "The server does not answer.");
      setBusy(false);
    }
  };

  return (
    <main class="sign-in">
      <form class="card stack" onSubmit={(event) => void submit(event)}>
        <h1>Sign in to Vend</h1>
        {hint !== undefined && <p role="status">{hint}</p>}
        <p class="muted">
          Paste a token, or run <code>vend login</code> and open the link that it prints.
        </p>
        <label class="stack-small">
          Token
          <input
            type="password"
            name="token"
            autocomplete="current-password"
            required
            autoFocus
            value={token}
            aria-invalid={error !== null}
            aria-describedby={error !== null ? "sign-in-error" : undefined}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        {error !== null && (
          <p id="sign-in-error" class="error-text" role="alert">
            {error}
          </p>
        )}
        <button class="button button-primary" disabled={isBusy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
