import { useState } from "preact/hooks";
import { api, must } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { setQuery } from "../../router.ts";
import { Badge } from "../../ui/badge.tsx";
import { counted } from "../../ui/quantities.ts";
import { Empty, Pending } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { matching, type Setting } from "./matching.ts";
import "./settings.css";

const sources: Readonly<Record<Setting["source"], string>> = {
  default: "",
  file: "vend.conf",
  environment: "environment",
  flag: "flag",
};

const Value = ({ text }: { text: string }) => (text === "" ? <span class="muted">empty</span> : <code class="operate-value">{text}</code>);

const columns: readonly Column<Setting>[] = [
  { head: "Setting", value: (setting) => setting.name, cell: (setting) => <code>{setting.name}</code> },
  {
    head: "Value",
    cell: (setting) => (
      <>
        <Value text={setting.value} /> {setting.source !== "default" && <Badge tone="accent" title="Where the value comes from">{sources[setting.source]}</Badge>}
      </>
    ),
  },
  { head: "Default", isMinor: true, cell: (setting) => <Value text={setting.default} /> },
  { head: "Help", cell: (setting) => <span class="operate-help">{setting.help}</span> },
];

/** Settings are read when the server starts: the page shows them, and does not change them. */
export function Settings({ query }: { query: URLSearchParams }) {
  const [text, setText] = useState(query.get("q") ?? "");
  const onlySet = query.get("set") === "yes";
  const loaded = useData(() => must(api.GET("/v1/settings")), []);
  if (loaded.data === null) return <Pending loaded={loaded} rows={8} />;
  const shown = matching(loaded.data.results, text, onlySet);
  return (
    <div class="stack">
      <p class="muted">
        The setting <code>idle-timeout</code> is set by the line <code>idle-timeout = 300s</code> of vend.conf in the data directory, by{" "}
        <code>VEND_IDLE_TIMEOUT</code> or by <code>--idle-timeout</code> of <code>vend serve</code>. The last of these wins. A change needs a restart of the server.
      </p>
      <div class="row">
        <label class="operate-search">
          <span class="visually-hidden">Search settings</span>
          <input
            type="search"
            placeholder="Search settings"
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setQuery({ q: event.currentTarget.value });
            }}
          />
        </label>
        <label class="row">
          <input type="checkbox" checked={onlySet} onChange={(event) => setQuery({ set: event.currentTarget.checked ? "yes" : null })} />
          Only those that are set
        </label>
        <span class="muted small" role="status">{counted(shown.length, "setting", "settings")}</span>
      </div>
      {shown.length === 0 ? (
        <Empty title="No setting matches" />
      ) : (
        <Table label="Settings of the server" columns={columns} rows={shown} keyOf={(setting) => setting.name} />
      )}
    </div>
  );
}
