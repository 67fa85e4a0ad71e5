import { useState } from "preact/hooks";
import { api, must, type Schemas } from "../../../api/client.ts";
import { navigate } from "../../../router.ts";
import { Secrets } from "../../../secrets/secrets.tsx";
import { Confirm } from "../../../ui/dialog.tsx";
import { Empty } from "../../../ui/states.tsx";
import type { TabProps } from "../tabs.ts";
import { DetailsForm } from "./details-form.tsx";
import { ScalingForm } from "./scaling-form.tsx";
import { useIsOwner } from "./use-is-owner.ts";
import "./settings.css";
import "./tabs.css";

export function SettingsTab({ model, reload }: TabProps) {
  const isOwner = useIsOwner(model);
  if (!isOwner) {
    return (
      <Empty title="These settings are the owner’s">
        <p>
          They need a token of {model.owner} with the scope <code>push</code>.
        </p>
      </Empty>
    );
  }
  return (
    <div class="model-tab settings">
      <section aria-labelledby="details">
        <h2 id="details">Details</h2>
        <DetailsForm model={model} onSave={reload} />
      </section>
      <section aria-labelledby="scaling">
        <h2 id="scaling">Scaling</h2>
        <p class="muted">
          For the instances that run this model without a deployment. An empty field follows the server’s setting.
        </p>
        <ScalingForm model={model} />
      </section>
      <section aria-labelledby="secrets">
        <h2 id="secrets">Secrets</h2>
        <p class="muted">
          Variables of the environment of its instances and trainings, such as the token of another service. Setting or
          removing one replaces the instances: runs under way end as they began.
        </p>
        <Secrets of={{ kind: "model", owner: model.owner, name: model.name }} />
      </section>
      <section aria-labelledby="delete">
        <h2 id="delete">Delete</h2>
        <DeleteModel model={model} />
      </section>
    </div>
  );
}

/** What the API would refuse, told before somebody asks. */
function obstacle(model: Schemas["Model"]): string | null {
  if (model.visibility === "public") return "A public model cannot be deleted. Make it private first.";
  if ((model.latest_version ?? null) !== null) return "The model still has versions. Delete them first.";
  return null;
}

function DeleteModel({ model }: { model: Schemas["Model"] }) {
  const [isAsked, setAsked] = useState(false);
  const { owner, name } = model;
  const why = obstacle(model);
  const remove = async () => {
    await must(api.DELETE("/v1/models/{owner}/{name}", { params: { path: { owner, name } } }));
    navigate("/explore", { replace: true });
  };
  return (
    <>
      {why !== null && <p class="muted">{why}</p>}
      <button type="button" class="button button-danger settings-button" disabled={why !== null} onClick={() => setAsked(true)}>
        Delete the model
      </button>
      {isAsked && (
        <Confirm
          title={`Delete ${owner}/${name}?`}
          action="Delete the model"
          typed={`${owner}/${name}`}
          onConfirm={remove}
          onClose={() => setAsked(false)}
        >
          <p>Its examples and its cover are deleted too. This cannot be undone.</p>
        </Confirm>
      )}
    </>
  );
}
