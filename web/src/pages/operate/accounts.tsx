import { useState } from "preact/hooks";
import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { Badge } from "../../ui/badge.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ActionError, Field } from "../../ui/field.tsx";
import { money } from "../../ui/quantities.ts";
import { Pending } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { useAction } from "../../ui/use-action.ts";

type Account = Schemas["Account"];
type Budget = Schemas["AccountBudget"];

function BudgetDialog({ username, budget, onClose }: { username: string; budget: Budget; onClose: () => void }) {
  const { isBusy, error, run } = useAction();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const amount = (name: string) => String(form.get(name)).trim() || null;
    const body = { soft: amount("soft"), hard: amount("hard") };
    if (await run(() => must(api.PUT("/v1/accounts/{username}/budget", { params: { path: { username } }, body })))) onClose();
  };
  return (
    <Dialog title={`Budget of ${username}`} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <Field label="Warn from" hint="The log has one warning a month. Empty: no warning.">
          <input name="soft" inputMode="decimal" placeholder="10.00" defaultValue={budget.soft ?? ""} />
        </Field>
        <Field label="Refuse new runs from" hint="Accepted runs go on. Empty: no limit.">
          <input name="hard" inputMode="decimal" placeholder="20.00" defaultValue={budget.hard ?? ""} />
        </Field>
        <ActionError message={error} />
        <div class="row">
          <button class="button button-primary" disabled={isBusy}>
            Set the budget
          </button>
          <button type="button" class="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function BudgetCell({ username }: { username: string }) {
  const loaded = useData(() => must(api.GET("/v1/accounts/{username}/budget", { params: { path: { username } } })), [username]);
  const [isOpen, setOpen] = useState(false);
  const budget = loaded.data;
  if (budget === null) return <span class="muted">{loaded.error?.message ?? "…"}</span>;
  const limit = budget.hard ?? budget.soft;
  return (
    <span class="row">
      <span>
        {money(budget.spent)}
        {limit === null ? " spent, no limit" : ` of ${money(limit)} spent`}
      </span>
      {budget.reached !== null && <Badge tone={budget.reached === "hard" ? "bad" : "warn"}>{budget.reached === "hard" ? "spent" : "warned"}</Badge>}
      <button type="button" class="button button-small" aria-label={`Change the budget of ${username}`} onClick={() => setOpen(true)}>
        Change
      </button>
      {isOpen && (
        <BudgetDialog
          username={username}
          budget={budget}
          onClose={() => {
            setOpen(false);
            loaded.reload();
          }}
        />
      )}
    </span>
  );
}

function CreateAccount({ onDone }: { onDone: () => void }) {
  const { isBusy, error, run } = useAction();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const element = event.currentTarget as HTMLFormElement;
    const form = new FormData(element);
    const name = String(form.get("name")).trim();
    const type = form.get("type") === "organization" ? ("organization" as const) : ("user" as const);
    const body = { username: String(form.get("username")).trim(), type, ...(name !== "" && { name }) };
    if (await run(() => must(api.POST("/v1/accounts", { body })))) {
      element.reset();
      onDone();
    }
  };
  return (
    <form class="card stack" aria-labelledby="create-account" onSubmit={(event) => void submit(event)}>
      <h2 id="create-account">Create an account</h2>
      <div class="fields">
        <Field label="Username" hint="It begins the names of the account's models.">
          <input name="username" required autocomplete="off" />
        </Field>
        <Field label="Name" hint="Shown to people. May be empty.">
          <input name="name" autocomplete="off" />
        </Field>
        <Field label="Type">
          <select name="type">
            <option value="user">user</option>
            <option value="organization">organization</option>
          </select>
        </Field>
      </div>
      <ActionError message={error} />
      <div>
        <button class="button button-primary" disabled={isBusy}>
          Create account
        </button>
      </div>
    </form>
  );
}

const columns: readonly Column<Account>[] = [
  {
    head: "Account",
    value: (account) => account.username,
    cell: (account) => (
      <>
        <strong>{account.username}</strong> {account.name !== account.username && <span class="muted">{account.name}</span>}
      </>
    ),
  },
  { head: "Type", isMinor: true, value: (account) => account.type, cell: (account) => account.type },
  { head: "Budget of this month", cell: (account) => <BudgetCell username={account.username} /> },
  {
    head: "",
    cell: ({ username }) => (
      <span class="row">
        <a href={`/account/tokens?account=${encodeURIComponent(username)}`}>Tokens</a>
        <a href={`/account/usage?account=${encodeURIComponent(username)}`}>Usage</a>
      </span>
    ),
  },
];

export function Accounts(_: { query: URLSearchParams }) {
  const loaded = useData(() => must(api.GET("/v1/accounts")), []);
  if (loaded.data === null) return <Pending loaded={loaded} rows={4} />;
  return (
    <div class="stack">
      <Table label="Accounts" columns={columns} rows={loaded.data.results ?? []} keyOf={(account) => account.username} />
      <CreateAccount onDone={loaded.reload} />
    </div>
  );
}
