import type { Schemas } from "../../api/client.ts";
import { Badge } from "../../ui/badge.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { counted } from "../../ui/quantities.ts";
import { Time } from "../../ui/time.tsx";
import { useWarm } from "../explore/use-warm.ts";
import { warmthOf, warmths } from "../explore/warmth.ts";

/** Whether instances are up. */
function Warm({ model }: { model: string }) {
  const warm = useWarm();
  const warmth = warm === null ? null : warmthOf(warm, model);
  return warmth === null ? null : <Badge tone={warmths[warmth].tone} title={warmths[warmth].title}>{warmths[warmth].label}</Badge>;
}

const links = [
  ["github_url", "Code"],
  ["weights_url", "Weights"],
  ["paper_url", "Paper"],
  ["license_url", "License"],
] as const;

export function ModelHeader({ model }: { model: Schemas["Model"] }) {
  const full = `${model.owner}/${model.name}`;
  return (
    <header class="model-header">
      <div class="row">
        <h1 class="model-name">
          <a href={`/explore?q=${encodeURIComponent(model.owner)}`}>{model.owner}</a>
          <span class="muted"> / </span>
          <a href={`/${encodeURIComponent(model.owner)}/${encodeURIComponent(model.name)}`}>{model.name}</a>
        </h1>
        <CopyButton text={full} label={`Copy ${full}`} />
      </div>
      {typeof model.description === "string" && model.description !== "" && <p class="model-description">{model.description}</p>}
      <div class="row model-facts small">
        <Warm model={full} />
        <Badge>{model.visibility === "public" ? "Public" : "Private"}</Badge>
        {model.is_official === true && <Badge tone="accent">Official</Badge>}
        <span>{counted(model.run_count, "run", "runs")}</span>
        <span class="muted">Created <Time at={model.created_at} /></span>
        {links.map(([field, label]) => {
          const url = model[field];
          return typeof url === "string" && /^https?:/.test(url) ? (
            <a key={field} href={url} target="_blank" rel="noreferrer noopener">{label}</a>
          ) : null;
        })}
      </div>
    </header>
  );
}
