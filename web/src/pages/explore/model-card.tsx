import type { Schemas } from "../../api/client.ts";
import { Badge } from "../../ui/badge.tsx";
import { Cover } from "../../ui/cover.tsx";
import { Loading } from "../../ui/states.tsx";
import { warmthOf, warmths } from "./warmth.ts";
import "./model-card.css";

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

interface CardProps {
  model: Schemas["Model"];
  warm: Schemas["Warm"] | null;
}

export function ModelCard({ model, warm }: CardProps) {
  const name = `${model.owner}/${model.name}`;
  const warmth = warm === null ? null : warmthOf(warm, name);
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
  warm: Schemas["Warm"] | null;
  label: string;
}

export function ModelGrid({ models, warm, label }: GridProps) {
  return (
    <ul class="model-grid" aria-label={label}>
      {models.map((model) => (
        <ModelCard key={`${model.owner}/${model.name}`} model={model} warm={warm} />
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
