import { useRef, useState } from "preact/hooks";
import { api, must, type Schemas } from "../../api/client.ts";
import { usePages } from "../../api/pages.ts";
import { useMay } from "../../session.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { ActionError } from "../../ui/field.tsx";
import { bytes } from "../../ui/quantities.ts";
import { Empty, Pending } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { useAction } from "../../ui/use-action.ts";
import type { TabProps } from "./account.tsx";

type Uploaded = Schemas["File"];

const send = (file: File): Promise<Uploaded> =>
  must(
    api.POST("/v1/files", {
      // The schema describes the bytes of a part as a text.
      body: { content: file as unknown as string, filename: file.name },
      bodySerializer: () => {
        const form = new FormData();
        form.set("content", file, file.name);
        return form;
      },
    }),
  );

function Upload({ onDone }: { onDone: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const { isBusy, error, run } = useAction();
  const [isOver, setOver] = useState(false);
  const [said, setSaid] = useState("");
  const upload = async (files: readonly File[]) => {
    if (files.length === 0) return;
    let sent = 0;
    setSaid("");
    await run(async () => {
      for (const file of files) {
        await send(file);
        sent++;
      }
    });
    if (sent > 0) {
      setSaid(sent === 1 ? "One file was uploaded." : `${sent} files were uploaded.`);
      onDone();
    }
    if (input.current !== null) input.current.value = "";
  };
  return (
    <div
      class={`account-drop ${isOver ? "account-drop-over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void upload([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <label>
        Upload files{" "}
        <input ref={input} type="file" multiple disabled={isBusy} onChange={(event) => void upload([...(event.currentTarget.files ?? [])])} />
      </label>
      <span class="muted">or drop them here.</span>
      <span role="status">{isBusy ? "Uploading…" : said}</span>
      <ActionError message={error} />
    </div>
  );
}

function Delete({ file, onDone }: { file: Uploaded; onDone: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const remove = async () => {
    await must(api.DELETE("/v1/files/{id}", { params: { path: { id: file.id } } }));
    onDone();
  };
  return (
    <>
      <button type="button" class="button button-small button-danger" aria-label={`Delete ${file.name}`} onClick={() => setOpen(true)}>
        Delete
      </button>
      {isOpen && (
        <Confirm title={`Delete ${file.name}`} action="Delete" onConfirm={remove} onClose={() => setOpen(false)}>
          <p>New runs cannot name it any more. Runs that already have it go on.</p>
        </Confirm>
      )}
    </>
  );
}

export function Files(_: TabProps) {
  const mayRun = useMay("run");
  const pages = usePages(
    (at) => must(api.GET("/v1/files", { params: { query: at } })),
    (file) => file.id,
    [],
  );
  const columns: readonly Column<Uploaded>[] = [
    { head: "Name", value: (file) => file.name, cell: (file) => file.name },
    { head: "Type", isMinor: true, value: (file) => file.content_type, cell: (file) => <span class="small mono">{file.content_type}</span> },
    { head: "Size", isNumber: true, value: (file) => file.size, cell: (file) => bytes(file.size) },
    { head: "Created", isMinor: true, value: (file) => file.created_at, cell: (file) => <Time at={file.created_at} /> },
    { head: "Expires", value: (file) => file.expires_at, cell: (file) => <Time at={file.expires_at} /> },
    {
      head: "",
      cell: (file) => (
        <span class="row">
          <CopyButton text={file.urls.get} label={`Copy URL of ${file.name}`}>
            Copy URL
          </CopyButton>
          {mayRun && <Delete file={file} onDone={pages.reload} />}
        </span>
      ),
    },
  ];
  return (
    <div class="stack">
      <p class="muted">Uploaded files are inputs of runs, named by their URL.</p>
      {mayRun && <Upload onDone={pages.reload} />}
      {pages.rows === null ? (
        <Pending loaded={pages} rows={4} />
      ) : pages.rows.length === 0 ? (
        <Empty title="No files" />
      ) : (
        <Table label="Files" columns={columns} rows={pages.rows} keyOf={(file) => file.id} />
      )}
      {pages.hasMore && (
        <button type="button" class="button" disabled={pages.isLoadingMore} onClick={pages.more}>
          Load older ones
        </button>
      )}
    </div>
  );
}
