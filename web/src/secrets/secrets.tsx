import { useState } from "preact/hooks";
import type { Schemas } from "../api/client.ts";
import { useData } from "../api/use-data.ts";
import { Confirm } from "../ui/dialog.tsx";
import { ActionError, Field } from "../ui/field.tsx";
import { Pending } from "../ui/states.tsx";
import { Table, type Column } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";
import { useAction } from "../ui/use-action.ts";
import { listSecrets, removeSecret, setSecret, type Owner } from "./calls.ts";
import { withoutLastBreak } from "./last-break.ts";
import "./secrets.css";

type Secret = Schemas["Secret"];

function SetSecret({ of, names, onDone }: { of: Owner; names: readonly string[]; onDone: (said: string) => void }) {
  const { isBusy, error, run } = useAction();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const element = event.currentTarget as HTMLFormElement;
    const form = new FormData(element);
    const key = String(form.get("key")).trim();
    const value = withoutLastBreak(String(form.get("value")));
    await run(async () => {
      await setSecret(of, key, value);
      element.reset();
      onDone(names.includes(key) ? `${key} has a new value.` : `${key} is set.`);
    });
  };
  return (
    <form class="secrets-form" aria-label="Set a secret" onSubmit={(event) => void submit(event)}>
      <Field label="Name" hint="Of the variable: letters, digits and _. A name that is there gets the new value.">
        <input name="key" required maxLength={64} pattern="[A-Za-z_][A-Za-z0-9_]*" autocomplete="off" autocapitalize="off" spellcheck={false} />
      </Field>
      <Field label="Value" hint="It is not shown while you type, and nowhere afterwards.">
        <textarea name="value" class="secrets-value" required rows={2} autocomplete="off" autocapitalize="off" spellcheck={false} />
      </Field>
      <ActionError message={error} />
      <div>
        <button class="button" disabled={isBusy}>
          Set the secret
        </button>
      </div>
    </form>
  );
}

function Remove({ of, secret, onDone }: { of: Owner; secret: Secret; onDone: (said: string) => void }) {
  const [isOpen, setOpen] = useState(false);
  const remove = async () => {
    await removeSecret(of, secret.name);
    onDone(`${secret.name} is removed.`);
  };
  return (
    <>
      <button type="button" class="button button-small button-danger" aria-label={`Remove ${secret.name}`} onClick={() => setOpen(true)}>
        Remove
      </button>
      {isOpen && (
        <Confirm title={`Remove ${secret.name}`} action="Remove" onConfirm={remove} onClose={() => setOpen(false)}>
          <p>Runs that begin from then on do not have it. Nobody can read its value to set it again.</p>
        </Confirm>
      )}
    </>
  );
}

/** Names of the secrets, and a form that sets one. */
export function Secrets({ of }: { of: Owner }) {
  const loaded = useData(() => listSecrets(of), [of.kind, of.owner, of.name]);
  const [said, setSaid] = useState("");
  const secrets = loaded.data;
  if (secrets === null) return <Pending loaded={loaded} rows={2} />;
  const changed = (text: string) => {
    setSaid(text);
    loaded.reload();
  };
  const columns: readonly Column<Secret>[] = [
    { head: "Name", value: (secret) => secret.name, cell: (secret) => <code>{secret.name}</code> },
    { head: "Set", value: (secret) => secret.set_at, cell: (secret) => <Time at={secret.set_at} /> },
    { head: "", cell: (secret) => <Remove of={of} secret={secret} onDone={changed} /> },
  ];
  return (
    <div class="secrets">
      {secrets.length === 0 ? (
        <p class="muted">None is set.</p>
      ) : (
        <Table label="Secrets" columns={columns} rows={secrets} keyOf={(secret) => secret.name} />
      )}
      <p role="status" class={said === "" ? "visually-hidden" : "small"}>
        {said}
      </p>
      <SetSecret of={of} names={secrets.map((secret) => secret.name)} onDone={changed} />
    </div>
  );
}
