import { useCallback, useState } from "preact/hooks";
import { api, ApiError, must, type Schemas } from "../../../api/client.ts";
import { FormBusy } from "../../../form/busy.ts";
import { SchemaForm } from "../../../form/schema-form.tsx";
import { fieldsOf } from "../../../form/schema.ts";
import { defaultsOf, errorsByField, type Values } from "../../../form/values.ts";
import { DestinationChoice } from "./destination-choice.tsx";
import { noDestination, prepareDestination, type Destination } from "./destination.ts";

interface Props {
  model: Schemas["Model"];
  version: Schemas["Version"];
  onStart: (training: Schemas["Training"]) => void;
}

type Errors = Record<string, string[]>;

export function TrainForm({ model, version, onStart }: Props) {
  const fields = fieldsOf(version.openapi_schema, "TrainingInput");
  const [values, setValues] = useState<Values>(() => defaultsOf(fields));
  const [destination, setDestination] = useState<Destination>(noDestination);
  const [errors, setErrors] = useState<Errors>({});
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [uploads, setUploads] = useState(0);
  const [isBusy, setBusy] = useState(false);
  const countUploads = useCallback((change: 1 | -1) => setUploads((n) => n + change), []);

  const noteProblem = (name: string, message: string | null) => {
    const { [name]: _before, ...others } = problems;
    setProblems(message === null ? others : { ...others, [name]: message });
  };
  const start = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setErrors({});
    setFailure(null);
    try {
      const to = await prepareDestination(destination);
      // A model that was made stays one, should the training be refused.
      setDestination({ ...destination, isNew: false });
      const path = { owner: model.owner, name: model.name, id: version.id };
      const training = await must(
        api.POST("/v1/models/{owner}/{name}/versions/{id}/trainings", {
          params: { path },
          body: { destination: to, input: values },
        }),
      );
      onStart(training);
    } catch (thrown) {
      const invalid = thrown instanceof ApiError ? thrown.invalidFields : [];
      if (invalid.length > 0) setErrors(errorsByField(invalid, fields));
      else setFailure(thrown instanceof ApiError ? thrown.message : String(thrown));
    }
    setBusy(false);
  };

  const shown: Errors = { ...errors };
  for (const [name, message] of Object.entries(problems)) shown[name] = [message];
  return (
    <FormBusy.Provider value={countUploads}>
      <form class="stack train-form" noValidate onSubmit={(event) => void start(event)}>
        <DestinationChoice value={destination} onChange={setDestination} />
        <SchemaForm fields={fields} values={values} errors={shown} onChange={setValues} onProblem={noteProblem} prefix="training" />
        {failure !== null && (
          <p class="error-text" role="alert">
            {failure}
          </p>
        )}
        <button class="button button-primary train-start" disabled={isBusy || uploads > 0 || Object.keys(problems).length > 0}>
          {uploads > 0 ? "Uploading" : "Start training"}
        </button>
      </form>
    </FormBusy.Provider>
  );
}
