import { useEffect, useState } from "preact/hooks";
import { api, must, type Schemas } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { cursorOf } from "../../../api/use-pages.ts";
import { RunStatus } from "../../../run/run-status.tsx";
import { isLive, secondsBetween } from "../../../run/run.ts";
import { duration, shortId } from "../../../ui/quantities.ts";
import { Empty, Pending } from "../../../ui/states.tsx";
import { Time } from "../../../ui/time.tsx";
import { trainedVersion } from "./trained-version.ts";

const MOST_ROWS = 50;
/** The list of the API is of all models; older ones stand on the page of trainings. */
const MOST_PAGES = 5;
const LIVE_MS = 2000;
const QUIET_MS = 15_000;

type Training = Schemas["Training"];

async function readTrainings(model: string): Promise<Training[]> {
  const found: Training[] = [];
  let cursor: string | undefined;
  for (let n = 0; n < MOST_PAGES && found.length < MOST_ROWS; n++) {
    const query = cursor === undefined ? {} : { cursor };
    const page = await must(api.GET("/v1/trainings", { params: { query } }));
    found.push(...page.results.filter((training) => training.model === model));
    if (page.next === null) break;
    cursor = cursorOf(page.next);
  }
  return found.slice(0, MOST_ROWS);
}

/** `round` changes when there is a new one. */
export function TrainingList({ model, round }: { model: Schemas["Model"]; round: number }) {
  const name = `${model.owner}/${model.name}`;
  const [everyMs, setEveryMs] = useState(QUIET_MS);
  const trainings = useData(() => readTrainings(name), [name, round], { everyMs, keepsData: true });
  const hasLive = trainings.data?.some(isLive) ?? false;
  useEffect(() => setEveryMs(hasLive ? LIVE_MS : QUIET_MS), [hasLive]);
  if (trainings.data === null) return <Pending loaded={trainings} />;
  if (trainings.data.length === 0) return <Empty title="No trainings yet" />;
  return (
    <div class="scroll-x" role="region" aria-label="Trainings" tabIndex={0}>
      <table class="training-table">
        <thead>
          <tr>
            <th scope="col">Training</th>
            <th scope="col">Status</th>
            <th scope="col">Created</th>
            <th scope="col">Ran for</th>
            <th scope="col">New version</th>
          </tr>
        </thead>
        <tbody>
          {trainings.data.map((training) => (
            <TrainingRow key={training.id} training={training} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TrainingRow({ training }: { training: Training }) {
  const seconds = isLive(training) ? null : secondsBetween(training.started_at, training.completed_at, 0);
  const made = trainedVersion(training.output);
  return (
    <tr>
      <th scope="row">
        <a class="mono" href={`/p/${training.id}`}>
          {shortId(training.id)}
        </a>
      </th>
      <td>
        <RunStatus status={training.status} />
        {training.error !== null && <div class="error-text training-error">{training.error}</div>}
      </td>
      <td>
        <Time at={training.created_at} />
      </td>
      <td>{seconds === null ? "" : duration(seconds)}</td>
      <td>
        {made !== null && (
          <a href={`/${made.model}?version=${made.id}`} aria-label={`Run ${made.model} ${shortId(made.id)}`}>
            {made.model}:<span class="mono">{shortId(made.id)}</span>
          </a>
        )}
      </td>
    </tr>
  );
}
