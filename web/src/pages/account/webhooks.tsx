import { useState } from "preact/hooks";
import { api, must, type Schemas } from "../../api/client.ts";
import { usePages } from "../../api/pages.ts";
import { setQuery } from "../../router.ts";
import { useMay } from "../../session.tsx";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { ActionError, Field } from "../../ui/field.tsx";
import { Empty, Pending } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { useAction } from "../../ui/use-action.ts";
import type { TabProps } from "./account.tsx";

type Delivery = Schemas["Delivery"];
type State = Delivery["state"];

const REFRESH_MS = 5000;

const states: Record<State, { tone: Tone; what: string }> = {
  pending: { tone: "live", what: "to be sent, or sent again" },
  delivered: { tone: "good", what: "taken by the receiver" },
  dead: { tone: "bad", what: "given up; may be replayed" },
  dropped: { tone: "plain", what: "progress that is not sent again" },
};
const names = Object.keys(states) as State[];

function SigningKey() {
  const { isBusy, error, run } = useAction();
  const [key, setKey] = useState<string | null>(null);
  const [previous, setPrevious] = useState<string | null>(null);
  const [isRotating, setRotating] = useState(false);
  const mayRotate = useMay("push");
  const reveal = () => run(async () => setKey((await must(api.GET("/v1/webhooks/default/secret"))).key));
  const rotate = async () => {
    const reply = await must(api.POST("/v1/webhooks/default/secret/rotate"));
    setKey(reply.key);
    setPrevious(reply.previous_expires_at ?? null);
  };
  return (
    <section class="card stack" aria-labelledby="signing-key">
      <h2 id="signing-key">Signing key</h2>
      <p class="muted">Receivers check with it that a message comes from this server. Who has it can make such messages.</p>
      <div class="account-key">
        {key === null ? (
          <>
            <code aria-hidden="true">whsec_••••••••••••••••</code>
            <button type="button" class="button button-small" disabled={isBusy} onClick={() => void reveal()}>
              Show the key
            </button>
          </>
        ) : (
          <>
            <code>{key}</code>
            <CopyButton text={key} label="Copy the signing key" />
            <button type="button" class="button button-small" onClick={() => setKey(null)}>
              Hide the key
            </button>
          </>
        )}
        {mayRotate && (
          <button type="button" class="button button-small" onClick={() => setRotating(true)}>
            Make a new key
          </button>
        )}
      </div>
      {previous !== null && (
        <p class="small" role="status">
          The key before it also signs. It expires <Time at={previous} />.
        </p>
      )}
      <ActionError message={error} />
      {isRotating && (
        <Confirm title="Make a new key" action="Make a new key" onConfirm={rotate} onClose={() => setRotating(false)}>
          <p>Messages are signed with both keys for a day. Give the new one to your receivers in this time.</p>
        </Confirm>
      )}
    </section>
  );
}

function Replay({ delivery, onDone }: { delivery: Delivery; onDone: () => void }) {
  const { isBusy, error, run } = useAction();
  const replay = async () => {
    const params = { path: { id: delivery.id } };
    if (await run(() => must(api.POST("/v1/webhooks/deliveries/{id}/replay", { params })))) onDone();
  };
  return (
    <>
      <button type="button" class="button button-small" disabled={isBusy} aria-label={`Replay ${delivery.id}`} onClick={() => void replay()}>
        Replay
      </button>
      <ActionError message={error} />
    </>
  );
}

function outcome(delivery: Delivery): string {
  if (delivery.last_error != null) return delivery.last_error;
  return delivery.last_status == null ? "not tried yet" : `status ${delivery.last_status}`;
}

export function Webhooks({ query }: TabProps) {
  const state = names.find((name) => name === query.get("state"));
  const mayRun = useMay("run");
  const pages = usePages(
    (at) => must(api.GET("/v1/webhooks/deliveries", { params: { query: { ...(state && { state }), ...at } } })),
    (delivery) => delivery.id,
    [state],
    { everyMs: REFRESH_MS },
  );
  const columns: readonly Column<Delivery>[] = [
    { head: "State", cell: (delivery) => <Badge tone={states[delivery.state].tone}>{delivery.state}</Badge> },
    {
      head: "Event",
      cell: (delivery) => (
        <>
          {delivery.event} of <a href={`/p/${delivery.prediction}`}>{delivery.prediction.slice(0, 10)}…</a>
        </>
      ),
    },
    { head: "Receiver", isMinor: true, cell: (delivery) => <span class="small mono">{delivery.webhook}</span> },
    { head: "Tries", isNumber: true, cell: (delivery) => delivery.tries },
    {
      head: "Outcome",
      cell: (delivery) => (
        <>
          {outcome(delivery)}
          {delivery.next_try_at != null && (
            <span class="muted small">
              {" "}
              next try <Time at={delivery.next_try_at} />
            </span>
          )}
        </>
      ),
    },
    { head: "Created", isMinor: true, cell: (delivery) => <Time at={delivery.created_at} /> },
    { head: "", cell: (delivery) => delivery.state === "dead" && mayRun && <Replay delivery={delivery} onDone={pages.reload} /> },
  ];
  return (
    <div class="stack">
      {mayRun && <SigningKey />}
      <h2>Deliveries</h2>
      <div class="row">
        <Field label="State">
          <select value={state ?? ""} onChange={(event) => setQuery({ state: event.currentTarget.value })}>
            <option value="">all</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}: {states[name].what}
              </option>
            ))}
          </select>
        </Field>
      </div>
      {pages.rows === null ? (
        <Pending loaded={pages} rows={4} />
      ) : pages.rows.length === 0 ? (
        <Empty title={state === undefined ? "No deliveries" : `No ${state} deliveries`}>
          <p>Runs that are created with a webhook send their messages from here. Delivered ones are listed for an hour.</p>
        </Empty>
      ) : (
        <Table label="Deliveries" columns={columns} rows={pages.rows} keyOf={(delivery) => delivery.id} />
      )}
      {pages.hasMore && (
        <button type="button" class="button" disabled={pages.isLoadingMore} onClick={pages.more}>
          Load older ones
        </button>
      )}
    </div>
  );
}
