import { useState } from "preact/hooks";
import type { Schemas } from "../../../api/client.ts";
import { useMay } from "../../../session.tsx";
import { shortId } from "../../../ui/quantities.ts";
import { Empty } from "../../../ui/states.tsx";
import type { TabProps } from "../tabs.ts";
import { canTrain } from "./needs.ts";
import { NoVersion } from "./no-version.tsx";
import { TrainForm } from "./train-form.tsx";
import { TrainingList } from "./training-list.tsx";
import "./train.css";
import "./tabs.css";

export function TrainTab({ model, version }: TabProps) {
  const mayRun = useMay("run");
  const [started, setStarted] = useState<Schemas["Training"][]>([]);
  if (version === null) return <NoVersion model={model} />;
  if (!canTrain(version)) {
    return (
      <Empty title={`Version ${shortId(version.id)} cannot be trained`}>
        <p>
          Its <code>cog.yaml</code> has no <code>train</code>.
        </p>
      </Empty>
    );
  }
  return (
    <div class="model-tab train">
      <section aria-labelledby="train">
        <h2 id="train">
          Train <span class="mono">{shortId(version.id)}</span>
        </h2>
        {mayRun ? (
          <TrainForm model={model} version={version} onStart={(training) => setStarted([training, ...started])} />
        ) : (
          <p class="muted">
            Your token lacks the scope <code>run</code>, which trainings need.
          </p>
        )}
      </section>
      <section aria-labelledby="trainings">
        <h2 id="trainings">Your trainings of this model</h2>
        <TrainingList model={model} round={started.length} />
      </section>
    </div>
  );
}
