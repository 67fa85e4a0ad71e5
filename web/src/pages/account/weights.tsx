import { useState } from "preact/hooks";
import { api, must, type Schemas } from "../../api/client.ts";
import { usePages } from "../../api/pages.ts";
import { useMay } from "../../session.tsx";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { bytes, counted, shortId } from "../../ui/quantities.ts";
import { Empty, Pending } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { useAction } from "../../ui/use-action.ts";
import type { TabProps } from "./account.tsx";

type Weights = Schemas["Weights"];

const states: Readonly<Record<Weights["state"], { label: string; tone: Tone; title: string }>> = {
  present: { label: "On disk", tone: "good", title: "Instances begin at once" },
  fetching: { label: "Fetching", tone: "live", title: "They are downloaded now" },
  absent: { label: "Not on disk", tone: "plain", title: "The next start of an instance fetches them" },
};

const pathOf = ({ model, version }: Weights) => {
  const [owner = "", name = ""] = model.split("/");
  return { params: { path: { owner, name, id: version } } };
};

const calls = {
  pull: (of: Weights) => must(api.POST("/v1/models/{owner}/{name}/versions/{id}/weights/pull", pathOf(of))),
  pin: (of: Weights) => must(api.POST("/v1/models/{owner}/{name}/versions/{id}/weights/pin", pathOf(of))),
  unpin: (of: Weights) => must(api.POST("/v1/models/{owner}/{name}/versions/{id}/weights/unpin", pathOf(of))),
  remove: (of: Weights) => must(api.DELETE("/v1/models/{owner}/{name}/versions/{id}/weights", pathOf(of))),
};

/** All of them act on the weights of the whole version. */
function Actions({ weights, onDone }: { weights: Weights; onDone: () => void }) {
  const [isAsked, setAsked] = useState(false);
  const action = useAction();
  const what = `of ${weights.model} ${shortId(weights.version)}`;
  const press = (call: keyof typeof calls) => void action.run(() => calls[call](weights).then(onDone));
  const canRemove = weights.state === "present" && weights.can_fetch && !weights.pinned;
  return (
    <span class="row">
      {weights.state === "absent" && weights.can_fetch && (
        <button type="button" class="button button-small" disabled={action.isBusy} aria-label={`Fetch the weights ${what}`} onClick={() => press("pull")}>
          Fetch
        </button>
      )}
      <button
        type="button"
        class="button button-small"
        disabled={action.isBusy}
        aria-label={`${weights.pinned ? "Unpin" : "Pin"} the weights ${what}`}
        onClick={() => press(weights.pinned ? "unpin" : "pin")}
      >
        {weights.pinned ? "Unpin" : "Pin"}
      </button>
      {canRemove && (
        <button type="button" class="button button-small button-danger" aria-label={`Remove the weights ${what}`} onClick={() => setAsked(true)}>
          Remove
        </button>
      )}
      {action.error !== null && (
        <span class="error-text" role="alert">
          {action.error}
        </span>
      )}
      {isAsked && (
        <Confirm title={`Remove the weights ${what}`} action="Remove" onConfirm={() => calls.remove(weights).then(onDone)} onClose={() => setAsked(false)}>
          <p>The files leave the disk. The next start of an instance fetches them again, which takes its time.</p>
        </Confirm>
      )}
    </span>
  );
}

const EVERY_MS = 5000;

/** Managed weights of the account's versions: where their files are. */
export function WeightsTab(_: TabProps) {
  const mayPush = useMay("push");
  const pages = usePages(
    (at) => must(api.GET("/v1/weights", { params: { query: at } })),
    (weights) => `${weights.model} ${weights.version} ${weights.name}`,
    [],
    { everyMs: EVERY_MS },
  );
  const columns: readonly Column<Weights>[] = [
    {
      head: "Weights",
      value: (weights) => weights.name,
      cell: (weights) => (
        <>
          {weights.name} {weights.pinned && <Badge tone="accent" title="They stay on disk">Pinned</Badge>}
          <br />
          <span class="muted small">{weights.source}</span>
        </>
      ),
    },
    {
      head: "Model and version",
      value: (weights) => weights.model,
      cell: (weights) => (
        <>
          <a href={`/${weights.model}`}>{weights.model}</a> <a class="mono small" href={`/${weights.model}/versions/${weights.version}`}>{shortId(weights.version)}</a>
        </>
      ),
    },
    { head: "Size", isNumber: true, value: (weights) => weights.size, cell: (weights) => <span title={counted(weights.files, "file", "files")}>{bytes(weights.size)}</span> },
    {
      head: "State",
      value: (weights) => weights.state,
      cell: (weights) => (
        <>
          <Badge tone={states[weights.state].tone} title={states[weights.state].title}>{states[weights.state].label}</Badge>
          {weights.in_use && <span class="muted small"> in use</span>}
          {weights.error !== null && <div class="error-text small">{weights.error}</div>}
        </>
      ),
    },
    { head: "Used", isMinor: true, value: (weights) => weights.used_at, cell: (weights) => <Time at={weights.used_at} /> },
    ...(mayPush ? [{ head: "", cell: (weights: Weights) => <Actions weights={weights} onDone={pages.reload} /> }] : []),
  ];
  return (
    <div class="stack">
      <p class="muted">
        Files that <code>weights</code> in cog.yaml names. The setting <code>weights-max</code> lets those go that were not used for longest; pinned ones stay.
        Pinning, fetching and removing act on all weights of a version.
      </p>
      {pages.rows === null ? (
        <Pending loaded={pages} rows={4} />
      ) : pages.rows.length === 0 ? (
        <Empty title="No managed weights">
          <p>Name them in the cog.yaml of a model, and push it.</p>
        </Empty>
      ) : (
        <Table label="Weights" columns={columns} rows={pages.rows} keyOf={(weights) => `${weights.model} ${weights.version} ${weights.name}`} />
      )}
      {pages.hasMore && (
        <button type="button" class="button" disabled={pages.isLoadingMore} onClick={pages.more}>
          Load more
        </button>
      )}
    </div>
  );
}
