import { useState } from "preact/hooks";
import type { Schemas } from "../../../api/client.ts";
import { fieldsOf, namedSchema } from "../../../form/schema.ts";
import { Output } from "../../../output/output.tsx";
import { Badge } from "../../../ui/badge.tsx";
import { Confirm } from "../../../ui/dialog.tsx";
import { duration } from "../../../ui/quantities.ts";
import { Time } from "../../../ui/time.tsx";
import { useAction } from "../../../ui/use-action.ts";
import { makeDefault, removeExample } from "./default-example.ts";
import { InputList } from "../../../run/input-list.tsx";

interface Props {
  model: Schemas["Model"];
  example: Schemas["Prediction"];
  isDefault: boolean;
  isOwner: boolean;
  onChange: () => void;
}

export function ExampleCard({ model, example, isDefault, isOwner, onChange }: Props) {
  const { owner, name } = model;
  const latest = model.latest_version;
  const openapi = latest?.id === example.version ? latest.openapi_schema : undefined;
  const seconds = example.metrics["predict_time"];
  return (
    <li class="card example">
      <div class="row spread">
        <span class="row small muted">
          {isDefault && (
            <Badge tone="accent" title="The playground begins with this example">
              Default
            </Badge>
          )}
          <Time at={example.created_at} />
          {typeof seconds === "number" && <span>{duration(seconds)}</span>}
        </span>
        <span class="row">
          <a class="button button-small" href={`/${owner}/${name}?example=${encodeURIComponent(example.id)}`}>
            Open in the playground
          </a>
          {isOwner && <Actions model={model} example={example} isDefault={isDefault} onChange={onChange} />}
        </span>
      </div>
      <div class="example-sides">
        <section aria-label="Input">
          <h3>Input</h3>
          <InputList input={example.input} fields={fieldsOf(openapi)} />
        </section>
        <section aria-label="Output">
          <h3>Output</h3>
          <Output value={example.output} schema={namedSchema(openapi, "Output")} isLive={false} />
        </section>
      </div>
    </li>
  );
}

type ActionsProps = Pick<Props, "model" | "example" | "isDefault" | "onChange">;

function Actions({ model, example, isDefault, onChange }: ActionsProps) {
  const [isAsked, setAsked] = useState(false);
  const move = useAction();
  const path = { owner: model.owner, name: model.name };
  const close = () => setAsked(false);
  return (
    <>
      {!isDefault && (
        <button
          type="button"
          class="button button-small"
          disabled={move.isBusy}
          onClick={() => void move.run(() => makeDefault(path, example.id).then(onChange))}
        >
          Make default
        </button>
      )}
      <button type="button" class="button button-small" onClick={() => setAsked(true)}>
        Remove
      </button>
      {move.error !== null && (
        <span class="error-text" role="alert">
          {move.error}
        </span>
      )}
      {isAsked && (
        <Confirm
          title="Remove this example?"
          action="Remove"
          onConfirm={() => removeExample(path, example.id).then(onChange)}
          onClose={close}
        >
          <p>Its input and output are deleted once the retention time of its prediction is over. An example of the model’s files returns with the next push.</p>
        </Confirm>
      )}
    </>
  );
}
