import { useMemo } from "preact/hooks";
import { api, must } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import type { PageProps } from "../../app.tsx";
import { fieldsOf, namedSchema } from "../../form/schema.ts";
import { isTextIterator } from "../../output/kind.ts";
import { Result } from "../../output/result.tsx";
import { InputList } from "../../run/input-list.tsx";
import { isTraining, type Run } from "../../run/run.ts";
import { useRun } from "../../run/use-run.ts";
import { useStory } from "../../run/use-story.ts";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Empty, Pending } from "../../ui/states.tsx";
import { useTitle } from "../../ui/title.ts";
import { Actions } from "./actions.tsx";
import { Facts } from "./facts.tsx";
import { findRun, isMissing } from "./find-run.ts";
import { StoryOf } from "./story.tsx";
import "./prediction.css";

/** The schema of the version that ran, or null when it is gone or somebody else's. */
async function schemaOf(run: Run): Promise<unknown> {
  const [owner = "", name = ""] = run.model.split("/");
  try {
    const path = { owner, name, id: run.version };
    return (await must(api.GET("/v1/models/{owner}/{name}/versions/{id}", { params: { path } }))).openapi_schema;
  } catch {
    return null;
  }
}

function Shown({ first, openapi }: { first: Run; openapi: unknown }) {
  const training = isTraining(first);
  const fields = useMemo(() => fieldsOf(openapi, training ? "TrainingInput" : "Input"), [openapi]);
  const schema = namedSchema(openapi, training ? "TrainingOutput" : "Output");
  const live = useRun(isTextIterator(schema), first);
  const run = live.run ?? first;
  const story = useStory(run);
  const kind = training ? "Training" : "Prediction";
  useTitle(`${kind} ${run.id}`);
  return (
    <div class="prediction stack">
      <header class="stack stack-tight">
        <div class="row">
          <h1>{kind}</h1>
          <code class="prediction-id">{run.id}</code>
          <CopyButton text={run.id} label="Copy the id" />
        </div>
        <Facts run={run} story={story} />
        <Actions run={run} live={live} />
        {live.error !== null && <p class="error-text" role="alert">{live.error}</p>}
      </header>
      <div class="prediction-sides">
        <section class="card stack" aria-labelledby="prediction-input">
          <h2 id="prediction-input">Input</h2>
          {run.data_removed ? <p class="muted">The input was removed.</p> : <InputList input={run.input} fields={fields} hasViews />}
        </section>
        <section class="card stack" aria-labelledby="prediction-result">
          <h2 id="prediction-result">Result</h2>
          <Result run={run} schema={schema} pieces={live.pieces} isCanceling={live.isCanceling} />
        </section>
      </div>
      <section class="card stack" aria-labelledby="prediction-story">
        <h2 id="prediction-story">Story</h2>
        <StoryOf run={run} />
      </section>
    </div>
  );
}

export function PredictionPage({ params }: PageProps) {
  const { id = "" } = params;
  const found = useData(async () => {
    const run = await findRun(id);
    return { run, openapi: await schemaOf(run) };
  }, [id]);
  if (isMissing(found.error)) {
    return (
      <Empty title="There is no such prediction">
        <p>It may be another account's. <a href="/predictions">See your predictions</a>.</p>
      </Empty>
    );
  }
  if (found.data === null) return <Pending loaded={found} rows={6} />;
  return <Shown key={found.data.run.id} first={found.data.run} openapi={found.data.openapi} />;
}
