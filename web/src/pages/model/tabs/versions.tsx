import { useState } from "preact/hooks";
import { api, must, type Schemas } from "../../../api/client.ts";
import { usePages } from "../../../api/use-pages.ts";
import { Badge } from "../../../ui/badge.tsx";
import { CopyButton } from "../../../ui/copy-button.tsx";
import { LoadMore } from "../../../ui/load-more.tsx";
import { shortId } from "../../../ui/quantities.ts";
import { Failure, Loading } from "../../../ui/states.tsx";
import { Time } from "../../../ui/time.tsx";
import type { TabProps } from "../tabs.ts";
import { DeleteVersion } from "./delete-version.tsx";
import { canTrain } from "./needs.ts";
import { NoVersion } from "./no-version.tsx";
import { SchemaChanges } from "./schema-changes.tsx";
import { useIsOwner } from "./use-is-owner.ts";
import { useOrigins, type Origins } from "./use-origins.ts";
import { VersionPage } from "./version-page.tsx";
import "./versions.css";
import "./tabs.css";

export function VersionsTab(props: TabProps) {
  const id = props.params["part"];
  return id === undefined ? <VersionList {...props} /> : <VersionPage {...props} id={id} key={id} />;
}

function VersionList({ model, query, reload }: TabProps) {
  const { owner, name } = model;
  const isOwner = useIsOwner(model);
  const pages = usePages(
    (cursor) =>
      must(
        api.GET("/v1/models/{owner}/{name}/versions", {
          params: { path: { owner, name }, query: cursor === undefined ? {} : { cursor } },
        }),
      ),
    [owner, name],
  );
  const origins = useOrigins(model);
  const { rows } = pages;
  if (rows === null) {
    return pages.error === null ? <Loading rows={4} /> : <Failure message={pages.error.message} onRetry={pages.reload} />;
  }
  if (rows.length === 0) return <NoVersion model={model} />;
  return (
    <div class="model-tab">
      <section aria-label="Versions">
        <ul class="version-list">
          {rows.map((version) => (
            <VersionRow
              key={version.id}
              model={model}
              version={version}
              origins={origins}
              isOwner={isOwner}
              onDelete={() => {
                pages.reload();
                reload();
              }}
            />
          ))}
        </ul>
        <LoadMore pages={pages} />
      </section>
      {(rows.length > 1 || query.has("before")) && <SchemaChanges model={model} versions={rows} query={query} />}
    </div>
  );
}

interface RowProps {
  model: Schemas["Model"];
  version: Schemas["Version"];
  origins: Origins;
  isOwner: boolean;
  onDelete: () => void;
}

function VersionRow({ model, version, origins, isOwner, onDelete }: RowProps) {
  const [isAsked, setAsked] = useState(false);
  const base = `/${model.owner}/${model.name}`;
  const short = shortId(version.id);
  const origin = origins.get(version.id);
  return (
    <li class="version" aria-label={`Version ${short}`}>
      <div class="version-name">
        <a class="mono" href={`${base}/versions/${version.id}`}>
          {short}
        </a>
        <CopyButton text={version.id} label={`Copy the whole id of ${short}`} />
        {version.id === model.latest_version?.id && <Badge tone="good">Latest</Badge>}
      </div>
      <div class="version-facts muted small">
        <Time at={version.created_at} />
        <span>Cog {version.cog_version}</span>
        {origin !== undefined && <span>{origin.base === null ? "Pushed" : "Trained"}</span>}
      </div>
      <div class="version-links">
        <a class="button button-small" href={`${base}?version=${version.id}`} aria-label={`Run ${short}`}>
          Run
        </a>
        <a class="button button-small" href={`${base}/api?version=${version.id}`} aria-label={`API of ${short}`}>
          API
        </a>
        {canTrain(version) && (
          <a class="button button-small" href={`${base}/train?version=${version.id}`} aria-label={`Train ${short}`}>
            Train
          </a>
        )}
        {isOwner && (
          <button type="button" class="button button-small" aria-label={`Delete ${short}`} onClick={() => setAsked(true)}>
            Delete
          </button>
        )}
      </div>
      {isAsked && <DeleteVersion model={model} id={version.id} onDelete={onDelete} onClose={() => setAsked(false)} />}
    </li>
  );
}
