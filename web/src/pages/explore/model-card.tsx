import type { Schemas } from "../../api/client.ts";
import { Badge } from "../../ui/badge.tsx";
import { Cover } from "../../ui/cover.tsx";
import { Loading } from "../../ui/states.tsx";
import { warmthOf, type Warmth } from "./warmth.ts";
import "./model-card.css";

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

const warmths: Record<Warmth, { label: string; tone: "good" | "warn" | "plain"; title: string }> = {
  warm: { label: "Warm", tone: "good", title: "An instance is ready" },
  starting: { label: "Starting", tone: "warn", title: "An instance starts" },
  cold: { label: "Cold", tone: "plain", title: "The first run starts an instance" },
};

interface CardProps {
  model: Schemas["Model"];
  status: Schemas["Status"] | null;
}

export function ModelCard({ model, status }: CardProps) {
  const name = `${model.owner}/${model.name}`;
  const warmth = status === null ? null : warmthOf(status, name);
  const shown = warmth === null ? null : warmths[warmth];
  return (
    <li class="model-card">
      <Cover name={name} url={model.cover_image_url} />
      <div class="model-card-text">
        <h3>
          <a href={`/${name}`}>
            <span class="muted">{model.owner}/</span>
            {model.name}
          </a>
        </h3>
        <p class="model-card-description">{model.description}</p>
        <p class="model-card-facts">
          <span class="muted small" title={`${model.run_count} runs`}>
            {short.format(model.run_count)} {model.run_count === 1 ? "run" : "runs"}
          </span>
          {model.visibility === "private" && <Badge>Private</Badge>}
          {(model.latest_version ?? null) === null && <Badge title="Push one to run the model">No version</Badge>}
          {shown !== null && (
            <Badge tone={shown.tone} title={shown.title}>
              {shown.label}
            </Badge>
          )}
        </p>
      </div>
    </li>
  );
}

interface GridProps {
  models: readonly Schemas["Model"][];
  status: Schemas["Status"] | null;
  label: string;
}

export function ModelGrid({ models, status, label }: GridProps) {
  return (
    <ul class="model-grid" aria-label={label}>
      {models.map((model) => (
        <ModelCard key={`${model.owner}/${model.name}`} model={model} status={status} />
      ))}
    </ul>
  );
}

export function LoadingGrid() {
  return (
    <div class="model-grid-loading">
      <Loading rows={6} label="Loading models" />
    </div>
  );
}
