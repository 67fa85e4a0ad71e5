import { useState } from "preact/hooks";
import { api, ApiError, must, type Schemas } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { Empty, Pending } from "../../../ui/states.tsx";
import type { TabProps } from "../tabs.ts";
import { keepExample } from "./default-example.ts";
import { ExampleCard } from "./example-card.tsx";
import { predictionId } from "./prediction-id.ts";
import { useIsOwner } from "./use-is-owner.ts";
import "./examples.css";
import "./tabs.css";

export function ExamplesTab({ model, reload }: TabProps) {
  const { owner, name } = model;
  const isOwner = useIsOwner(model);
  const examples = useData(
    () => must(api.GET("/v1/models/{owner}/{name}/examples", { params: { path: { owner, name } } })),
    [owner, name],
  );
  const change = () => {
    examples.reload();
    reload();
  };
  const list = examples.data?.results ?? [];
  return (
    <div class="model-tab">
      {isOwner && <AddExample model={model} onChange={change} />}
      {examples.data === null && <Pending loaded={examples} />}
      {examples.data !== null && list.length === 0 && (
        <Empty title="This model has no examples">
          {isOwner && <p>Run it in the playground, and add the prediction here.</p>}
        </Empty>
      )}
      {list.length > 0 && (
        <ul class="example-list" aria-label="Examples">
          {list.map((example, i) => (
            <ExampleCard key={example.id} model={model} example={example} isDefault={i === 0} isOwner={isOwner} onChange={change} />
          ))}
        </ul>
      )}
    </div>
  );
}

function AddExample({ model, onChange }: { model: Schemas["Model"]; onChange: () => void }) {
  const [text, setText] = useState("");
  const [isDefault, setDefault] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const add = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await keepExample({ owner: model.owner, name: model.name }, predictionId(text), isDefault);
      setText("");
      onChange();
    } catch (thrown) {
      setError(thrown instanceof ApiError ? thrown.message : String(thrown));
    }
    setBusy(false);
  };
  return (
    <form class="example-add" onSubmit={(event) => void add(event)}>
      <label class="example-add-id">
        <span>Add a prediction that succeeded</span>
        <input
          required
          placeholder="Its id or address"
          autocomplete="off"
          value={text}
          aria-invalid={error !== null}
          aria-describedby={error === null ? undefined : "example-error"}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <label class="row example-add-default">
        <input type="checkbox" checked={isDefault} onChange={(event) => setDefault(event.currentTarget.checked)} />
        As the default
      </label>
      <button class="button" disabled={isBusy}>
        Add
      </button>
      {error !== null && (
        <p id="example-error" class="error-text example-error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
