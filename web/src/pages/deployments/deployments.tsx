import type { PageProps } from "../../app.tsx";
import { api, must, type Schemas } from "../../api/client.ts";
import { usePages } from "../../api/pages.ts";
import { useMay } from "../../session.tsx";
import { shortId } from "../../ui/quantities.ts";
import { Empty, Pending } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { CreateDeployment } from "./create.tsx";
import "./deployments.css";

type Deployment = Schemas["Deployment"];

const columns: readonly Column<Deployment>[] = [
  {
    head: "Deployment",
    value: ({ owner, name }) => `${owner}/${name}`,
    cell: ({ owner, name }) => (
      <a href={`/deployments/${owner}/${name}`}>
        {owner}/{name}
      </a>
    ),
  },
  {
    head: "Model and version",
    value: (deployment) => deployment.current_release.model,
    cell: ({ current_release: release }) => (
      <>
        <a href={`/${release.model}`}>{release.model}</a> <span class="mono muted">{shortId(release.version)}</span>
      </>
    ),
  },
  { head: "Hardware", isMinor: true, cell: (deployment) => deployment.current_release.configuration.hardware },
  {
    head: "Instances",
    cell: ({ current_release: { configuration } }) =>
      configuration.max_instances === 0 ? "paused" : `${configuration.min_instances} to ${configuration.max_instances}`,
  },
  { head: "Release", isNumber: true, value: (deployment) => deployment.current_release.number, cell: (deployment) => deployment.current_release.number },
  {
    head: "Released",
    value: (deployment) => deployment.current_release.created_at,
    cell: (deployment) => <Time at={deployment.current_release.created_at} />,
  },
];

export function Deployments({ query }: PageProps) {
  const mayPush = useMay("push");
  const pages = usePages(
    (at) => must(api.GET("/v1/deployments", { params: { query: at } })),
    ({ owner, name }) => `${owner}/${name}`,
    [],
    { everyMs: 10_000 },
  );
  const isNew = mayPush && query.get("new") !== null;
  return (
    <div class="stack">
      <div class="row spread">
        <h1>Deployments</h1>
        {mayPush && !isNew && (
          <a class="button button-primary" href="/deployments?new=yes">
            New deployment
          </a>
        )}
      </div>
      {isNew && <CreateDeployment query={query} />}
      {pages.rows === null ? (
        <Pending loaded={pages} rows={4} />
      ) : pages.rows.length > 0 ? (
        <Table label="Deployments" columns={columns} rows={pages.rows} keyOf={({ owner, name }) => `${owner}/${name}`} />
      ) : (
        !isNew && (
          <Empty title="No deployments yet">
            <p>A deployment is a model's version with an address and instances of its own. You choose how many are kept warm.</p>
          </Empty>
        )
      )}
      {pages.hasMore && (
        <button type="button" class="button" disabled={pages.isLoadingMore} onClick={pages.more}>
          Load more
        </button>
      )}
    </div>
  );
}
