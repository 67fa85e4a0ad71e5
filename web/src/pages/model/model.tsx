import { api, must } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import type { PageProps } from "../../app.tsx";
import { useSession } from "../../session.tsx";
import { NotFound } from "../../ui/not-found.tsx";
import { Empty, Pending } from "../../ui/states.tsx";
import { TabLinks } from "../../ui/tabs.tsx";
import { useTitle } from "../../ui/title.ts";
import { ModelHeader } from "./header.tsx";
import { tabs } from "./tabs.ts";
import "./model.css";

/** A model: its header, and the tab that the address names. */
export function ModelPage({ params, query }: PageProps) {
  const { owner = "", name = "" } = params;
  const id = params["tab"] ?? "playground";
  const wanted = query.get("version");
  const session = useSession();
  const model = useData(() => must(api.GET("/v1/models/{owner}/{name}", { params: { path: { owner, name } } })), [owner, name]);
  const other = useData(
    async () =>
      wanted === null
        ? null
        : must(api.GET("/v1/models/{owner}/{name}/versions/{id}", { params: { path: { owner, name, id: wanted } } })),
    [owner, name, wanted],
  );
  const shown = tabs.filter((tab) => model.data !== null && (tab.isShown?.(model.data, session) ?? true));
  const tab = shown.find((candidate) => candidate.id === id);
  useTitle(id === "playground" ? `${owner}/${name}` : `${tab?.label ?? ""} · ${owner}/${name}`);

  if (model.error?.status === 404) return <NotFound />;
  if (model.data === null) return <Pending loaded={model} rows={5} />;
  const base = `/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
  const behind = wanted === null ? "" : `?version=${encodeURIComponent(wanted)}`;
  const version = wanted === null ? (model.data.latest_version ?? null) : other.data;
  return (
    <div class="stack">
      <ModelHeader model={model.data} />
      <TabLinks
        label={`${owner}/${name}`}
        tabs={shown.map(({ id: at, label }) => ({
          href: `${at === "playground" ? base : `${base}/${at}`}${behind}`,
          label,
          isHere: at === id,
        }))}
      />
      {tab === undefined ? (
        <Empty title="There is no such tab">
          <p><a href={base}>Go to the playground</a>.</p>
        </Empty>
      ) : wanted !== null && other.data === null ? (
        <Pending loaded={other} />
      ) : (
        <tab.page key={`${owner}/${name}`} model={model.data} version={version} params={params} query={query} reload={model.reload} />
      )}
    </div>
  );
}
