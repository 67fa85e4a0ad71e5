import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, type Schemas } from "../../../api/client.ts";
import { FormBusy } from "../../../form/busy.ts";
import type { Field } from "../../../form/schema.ts";
import { defaultsOf, errorsByField, valuesOf, type Values } from "../../../form/values.ts";
import { Result } from "../../../output/result.tsx";
import { isTextIterator } from "../../../output/kind.ts";
import { setQuery } from "../../../router.ts";
import { isLive, pageOf } from "../../../run/run.ts";
import { useRun } from "../../../run/use-run.ts";
import { useMay, useSession } from "../../../session.tsx";
import { dropDraft, keepDraft } from "./draft.ts";
import { Inputs } from "./inputs.tsx";
import { Notices } from "./notices.tsx";
import { startRun, type Start } from "./start.ts";
import { runKey, useKeys } from "./use-keys.ts";

interface Props {
  model: Schemas["Model"];
  version: Schemas["Version"];
  fields: readonly Field[];
  outputSchema: unknown;
  start: Start;
  query: URLSearchParams;
}

type Errors = Record<string, string[]>;

export function Bench({ model, version, fields, outputSchema, start, query }: Props) {
  const full = `${model.owner}/${model.name}`;
  const pinned = version.id === model.latest_version?.id ? null : version.id;
  const session = useSession();
  const mayRun = useMay("run");
  const [values, setValues] = useState<Values>(start.values);
  const [refused, setRefused] = useState<Errors>({});
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [isSending, setSending] = useState(false);
  const [busy, setBusy] = useState(0);
  const [isExample, setExample] = useState(start.isExample);
  const live = useRun(isTextIterator(outputSchema), start.prediction);
  const side = useRef<HTMLDivElement>(null);

  const change = (next: Values) => {
    setValues(next);
    setFailure(null);
    keepDraft(full, next, fields);
    setRefused((errors) => Object.fromEntries(Object.entries(errors).filter(([name]) => name !== "" && next[name] === values[name])));
  };
  const onProblem = (name: string, message: string | null) =>
    setProblems((before) => {
      const { [name]: _gone, ...rest } = before;
      return message === null ? rest : { ...rest, [name]: message };
    });

  const isRunning = live.run !== null && isLive(live.run) && !isExample;
  const isBlocked = Object.keys(problems).length > 0;
  const canRun = mayRun && !isSending && !isRunning && busy === 0 && !isBlocked;

  const run = async () => {
    if (!canRun) return;
    setSending(true);
    setFailure(null);
    setRefused({});
    try {
      const prediction = await startRun(model, pinned, values);
      setExample(false);
      live.show(prediction);
      setQuery({ prediction: prediction.id, example: null, input: null });
      side.current?.scrollIntoView({ block: "nearest" });
    } catch (thrown) {
      const error = thrown instanceof ApiError ? thrown : new ApiError(0, String(thrown));
      if (error.invalidFields.length > 0) setRefused(errorsByField(error.invalidFields, fields));
      else setFailure(error.message);
    } finally {
      setSending(false);
    }
  };
  useKeys({ onRun: () => void run(), onCancel: isRunning ? live.cancel : null });
  useEffect(() => {
    const [first] = Object.keys(refused).filter((name) => name !== "");
    if (first !== undefined) document.getElementById(`input-${first}`)?.focus();
  }, [refused]);

  const fill = (next: Values) => {
    setProblems({});
    setRefused({});
    setFailure(null);
    setValues(next);
    dropDraft(full);
  };
  const errors: Errors = { ...refused };
  for (const [name, message] of Object.entries(problems)) errors[name] = [message];
  const example = model.default_example ?? null;

  return (
    <FormBusy.Provider value={(by) => setBusy((n) => n + by)}>
      <div class="playground">
        <section class="playground-side" aria-label="Input">
          <Inputs
            fields={fields}
            values={values}
            errors={errors}
            reference={pinned === null ? full : `${full}:${version.id}`}
            view={query.get("view")}
            onChange={change}
            onProblem={onProblem}
          />
          {failure !== null && <p class="error-text" role="alert">{failure}</p>}
          <div class="playground-actions">
            <div class="row">
              {isRunning ? (
                <button type="button" class="button button-danger" disabled={live.isCanceling} onClick={live.cancel}>
                  {live.isCanceling ? "Canceling" : "Cancel"} <kbd>Esc</kbd>
                </button>
              ) : (
                <button type="button" class="button button-primary" disabled={!canRun} onClick={() => void run()}>
                  {busy > 0 ? "Uploading" : isSending ? "Sending" : "Run"} <kbd>{runKey}</kbd>
                </button>
              )}
              <button type="button" class="button" onClick={() => fill(defaultsOf(fields))}>Reset</button>
              {example !== null && (
                <button type="button" class="button" onClick={() => fill(valuesOf(example.input, fields))}>Example</button>
              )}
            </div>
            {session !== null && !mayRun && <p class="small muted">Your token may look but not run. Ask for the scope run.</p>}
            {session === null && <p class="small muted"><a href="/sign-in">Sign in</a> to run this model.</p>}
            {pinned !== null && <p class="small muted">Runs version <code>{version.id.slice(0, 12)}</code>.</p>}
            <Notices model={full} isSignedIn={session !== null} />
          </div>
        </section>
        <section class="playground-side playground-result" aria-label="Result" ref={side}>
          {live.error !== null && <p class="error-text" role="alert">{live.error}</p>}
          {live.run === null ? (
            <p class="muted playground-empty">The output appears here.</p>
          ) : (
            <>
              {isExample && <p class="small muted">An example of this model. Run it, or change the input first.</p>}
              <Result
                key={live.run.id}
                run={live.run}
                schema={outputSchema}
                pieces={live.pieces}
                isCanceling={live.isCanceling}
                actions={isExample ? undefined : <a class="button button-small" href={pageOf(live.run)}>View the prediction</a>}
              />
            </>
          )}
        </section>
      </div>
    </FormBusy.Provider>
  );
}
