import { api, must, type Schemas } from "../../../api/client.ts";
import { Confirm } from "../../../ui/dialog.tsx";
import { shortId } from "../../../ui/quantities.ts";

interface Props {
  model: Schemas["Model"];
  id: string;
  onDelete: () => void;
  onClose: () => void;
}

export function DeleteVersion({ model, id, onDelete, onClose }: Props) {
  const { owner, name } = model;
  const remove = async () => {
    await must(api.DELETE("/v1/models/{owner}/{name}/versions/{id}", { params: { path: { owner, name, id } } }));
    onDelete();
  };
  return (
    <Confirm title={`Delete version ${shortId(id)}?`} action="Delete" onConfirm={remove} onClose={onClose}>
      <p>
        It runs no more, and its files are deleted. This cannot be undone.
      </p>
    </Confirm>
  );
}
