import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api, ApiError, must, type Schemas } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { navigate } from "../../../router.ts";
import { useSession } from "../../../session.tsx";
import { Badge } from "../../../ui/badge.tsx";
import { CopyButton } from "../../../ui/copy-button.tsx";
import { bytes, shortId } from "../../../ui/quantities.ts";
import { Empty, Pending } from "../../../ui/states.tsx";
import { Time } from "../../../ui/time.tsx";
import { SchemaTable } from "../schema/schema-table.tsx";
import type { TabProps } from "../tabs.ts";
import { DeleteVersion } from "./delete-version.tsx";
import { canTrain } from "./needs.ts";
import { useIsOwner } from "./use-is-owner.ts";

/** One version: what it is, what it was made of, and what it takes and returns. */
export function VersionPage({ model, id, reload }: TabProps & { id: string }) {
  const { owner, name } = model;
  const isOwner = useIsOwner(model);
  const [isAsked, setAsked] = useState(false);
  const loaded = useData(
    () => must(api.GET("/v1/models/{owner}/{name}/versions/{id}", { params: { path: { owner, name, id } } })),
    [owner, name, id],
  );
  const base = `/${owner}/${name}`;
  if (loaded.error?.status === 404) {
    return (
      <Empty title="There is no such version">
        <a href={`${base}/versions`}>All versions</a>
      </Empty>
    );
  }
  if (loaded.data === null) return <Pending loaded={loaded} rows={5} />;
  const version = loaded.data;
  const isLatest = version.id === model.latest_version?.id;
  return (
    <div class="model-tab">
      <section aria-labelledby="version">
        <p class="small">
          <a href={`${base}/versions`}>All versions</a>
        </p>
        <div class="row">
          <h2 id="version">
            Version <span class="mono">{shortId(version.id)}</span>
          </h2>
          {isLatest && <Badge tone="good">Latest</Badge>}
        </div>
        <div class="row">
          <a class="button button-primary" href={`${base}?version=${version.id}`}>
            Run
          </a>
          <a class="button" href={`${base}/api?version=${version.id}`}>
            API
          </a>
          {canTrain(version) && (
            <a class="button" href={`${base}/train?version=${version.id}`}>
              Train
            </a>
          )}
          {!isLatest && model.latest_version !== null && model.latest_version !== undefined && (
            <a class="button" href={`${base}/versions?before=${version.id}&after=${model.latest_version.id}#schema-changes`}>
              Compare with the latest
            </a>
          )}
          {isOwner && (
            <button type="button" class="button button-danger" onClick={() => setAsked(true)}>
              Delete
            </button>
          )}
        </div>
        <dl class="facts">
          <Fact name="Id">
            <span class="mono">{version.id}</span> <CopyButton text={version.id} label="Copy the id" />
          </Fact>
          <Fact name="Created">
            <Time at={version.created_at} />
          </Fact>
          <Fact name="Cog">{version.cog_version}</Fact>
          <Provenance model={model} id={version.id} />
        </dl>
      </section>
      <section aria-labelledby="version-input">
        <h2 id="version-input">Input</h2>
        <SchemaTable openapi={version.openapi_schema} component="Input" prefix="input" caption="Input schema" />
      </section>
      <section aria-labelledby="version-output">
        <h2 id="version-output">Output</h2>
        <SchemaTable openapi={version.openapi_schema} component="Output" prefix="output" caption="Output schema" />
      </section>
      {isAsked && (
        <DeleteVersion
          model={model}
          id={version.id}
          onDelete={() => {
            reload();
            navigate(`${base}/versions`, { replace: true });
          }}
          onClose={() => setAsked(false)}
        />
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Only the model's account may know what a version was made of. */
function Provenance({ model, id }: { model: Schemas["Model"]; id: string }) {
  const { owner, name } = model;
  const isOwn = useSession()?.username === owner;
  const { data } = useData(async () => {
    if (!isOwn) return null;
    try {
      const params = { path: { owner, name, id } };
      return await must(api.GET("/v1/models/{owner}/{name}/versions/{id}/provenance", { params }));
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status >= 400 && thrown.status < 500) return null;
      throw thrown;
    }
  }, [owner, name, id, isOwn]);
  if (data === null) return null;
  return (
    <>
      <Fact name="Made by">
        {data.base === null ? "A push" : <Trained base={data.base} training={data.training} />}
      </Fact>
      {data.python !== null && <Fact name="Python">{data.python}</Fact>}
      {data.weights.length > 0 && (
        <Fact name="Weights">{data.weights.map((file) => `${file.name} (${bytes(file.size)})`).join(", ")}</Fact>
      )}
      {data.packages !== null && data.packages.length > 0 && (
        <Fact name="Packages">
          <details>
            <summary>{data.packages.length} packages</summary>
            <p class="mono small">{data.packages.join(" ")}</p>
          </details>
        </Fact>
      )}
    </>
  );
}

/** `base` is owner/name:id. */
function Trained({ base, training }: { base: string; training: string | null }) {
  const [model = "", id = ""] = base.split(":");
  return (
    <>
      A training of{" "}
      <a href={`/${model}/versions/${id}`}>
        {model}:<span class="mono">{shortId(id)}</span>
      </a>
      {training !== null && (
        <>
          {" "}
          (<a href={`/p/${training}`}>its run</a>)
        </>
      )}
    </>
  );
}
