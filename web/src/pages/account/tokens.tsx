import { useState } from "preact/hooks";
import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { useMay } from "../../session.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";
import { Confirm, Dialog } from "../../ui/dialog.tsx";
import { ActionError, Field } from "../../ui/field.tsx";
import { Empty, Pending } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { useAction } from "../../ui/use-action.ts";
import type { TabProps } from "./account.tsx";

type Token = Schemas["Token"];
type Scope = Token["scopes"][number];

const scopes: readonly { id: Scope; what: string }[] = [
  { id: "read", what: "look at models, runs, files and usage" },
  { id: "run", what: "run models, upload and delete files" },
  { id: "push", what: "make and change models and deployments" },
  { id: "admin", what: "everything, accounts and tokens too" },
];

function NewToken({ token, onClose }: { token: Schemas["NewToken"]; onClose: () => void }) {
  return (
    <Dialog title={`The token ${token.name}`} onClose={onClose}>
      <p>Copy it now. It is shown this once.</p>
      <Code text={token.token} label="New token" />
      <div class="row">
        <button type="button" class="button button-primary" onClick={onClose}>
          I have copied it
        </button>
      </div>
    </Dialog>
  );
}

function CreateToken({ username, onDone }: { username: string; onDone: () => void }) {
  const { isBusy, error, run } = useAction();
  const [made, setMade] = useState<Schemas["NewToken"] | null>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const element = event.currentTarget as HTMLFormElement;
    const form = new FormData(element);
    const body = {
      name: String(form.get("name")).trim(),
      scopes: scopes.map(({ id }) => id).filter((id) => form.has(id)),
      account: username,
    };
    await run(async () => {
      setMade(await must(api.POST("/v1/tokens", { body })));
      element.reset();
    });
  };
  return (
    <form class="card stack" aria-labelledby="create-token" onSubmit={(event) => void submit(event)}>
      <h2 id="create-token">Create a token</h2>
      <div class="fields">
        <Field label="Name" hint="What it is for, such as the name of a program.">
          <input name="name" required autocomplete="off" />
        </Field>
      </div>
      <fieldset class="field">
        <legend class="field-label">Scopes</legend>
        <div class="account-scopes">
          {scopes.map(({ id, what }) => (
            <div key={id} class="field-choice">
              <input type="checkbox" id={`scope-${id}`} name={id} aria-describedby={`scope-${id}-what`} defaultChecked={id === "read" || id === "run"} />
              <span>
                <label for={`scope-${id}`}>
                  <strong>{id}</strong>
                </label>{" "}
                <span id={`scope-${id}-what`} class="muted small">
                  {what}
                </span>
              </span>
            </div>
          ))}
        </div>
      </fieldset>
      <ActionError message={error} />
      <div>
        <button class="button button-primary" disabled={isBusy}>
          Create token
        </button>
      </div>
      {made !== null && (
        <NewToken
          token={made}
          onClose={() => {
            setMade(null);
            onDone();
          }}
        />
      )}
    </form>
  );
}

function Revoke({ token, onDone }: { token: Token; onDone: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const revoke = async () => {
    await must(api.DELETE("/v1/tokens/{id}", { params: { path: { id: token.id } } }));
    onDone();
  };
  return (
    <>
      <button type="button" class="button button-small button-danger" aria-label={`Revoke ${token.name}`} onClick={() => setOpen(true)}>
        Revoke
      </button>
      {isOpen && (
        <Confirm title={`Revoke ${token.name}`} action="Revoke" onConfirm={revoke} onClose={() => setOpen(false)}>
          <p>Programs that use it are refused at once. This cannot be undone.</p>
        </Confirm>
      )}
    </>
  );
}

export function Tokens({ username }: TabProps) {
  const isAdmin = useMay("admin");
  const loaded = useData(() => must(api.GET("/v1/tokens", { params: { query: isAdmin ? { account: username } : {} } })), [username, isAdmin]);
  const tokens = loaded.data?.results;
  if (loaded.data === null || tokens === undefined) return <Pending loaded={loaded} rows={4} />;
  const columns: readonly Column<Token>[] = [
    {
      head: "Name",
      value: (token) => token.name,
      cell: (token) => <span class={token.revoked_at == null ? undefined : "account-gone"}>{token.name}</span>,
    },
    { head: "Begins with", isMinor: true, cell: (token) => <code>{token.prefix}…</code> },
    { head: "Scopes", cell: (token) => token.scopes.join(", ") },
    { head: "Created", isMinor: true, value: (token) => token.created_at, cell: (token) => <Time at={token.created_at} /> },
    {
      head: "Last used",
      value: (token) => token.last_used_at ?? null,
      cell: (token) => (token.last_used_at == null ? "never" : <Time at={token.last_used_at} />),
    },
    {
      head: "",
      cell: (token) =>
        token.revoked_at != null ? (
          <Badge tone="bad">revoked</Badge>
        ) : isAdmin ? (
          <Revoke token={token} onDone={loaded.reload} />
        ) : (
          <Badge tone="good">valid</Badge>
        ),
    },
  ];
  return (
    <div class="stack">
      {tokens.length === 0 ? <Empty title="No tokens" /> : <Table label="Tokens" columns={columns} rows={tokens} keyOf={(token) => token.id} />}
      {isAdmin ? (
        <CreateToken username={username} onDone={loaded.reload} />
      ) : (
        <p class="muted">Tokens are made and revoked by a token with the scope admin.</p>
      )}
    </div>
  );
}
