import type { ComponentType } from "preact";
import type { PageProps } from "../../app.tsx";
import { useMay, useSession } from "../../session.tsx";
import { NotFound } from "../../ui/not-found.tsx";
import { Empty, Loading } from "../../ui/states.tsx";
import { TabLinks } from "../../ui/tabs.tsx";
import { Accounts } from "./accounts.tsx";
import { Advice } from "./advice.tsx";
import { Charts } from "./charts.tsx";
import { Decisions } from "./decisions.tsx";
import { Doctor } from "./doctor.tsx";
import { Overview } from "./overview.tsx";
import { Settings } from "./settings.tsx";

const tabs: readonly { id: string; label: string; view: ComponentType<{ query: URLSearchParams }> }[] = [
  { id: "overview", label: "Overview", view: Overview },
  { id: "decisions", label: "Decisions", view: Decisions },
  { id: "charts", label: "Charts", view: Charts },
  { id: "advice", label: "Advice", view: Advice },
  { id: "accounts", label: "Accounts", view: Accounts },
  { id: "settings", label: "Settings", view: Settings },
  { id: "doctor", label: "Doctor", view: Doctor },
];

export function Operate({ params, query }: PageProps) {
  const session = useSession();
  const isAdmin = useMay("admin");
  const here = tabs.find((tab) => tab.id === (params["tab"] ?? "overview"));
  if (here === undefined) return <NotFound />;
  return (
    <div class="stack">
      <h1>Operate</h1>
      <TabLinks
        label="Parts of the operator's page"
        tabs={tabs.map((tab) => ({ href: tab.id === "overview" ? "/operate" : `/operate/${tab.id}`, label: tab.label, isHere: tab === here }))}
      />
      {session === null ? <Loading rows={6} /> : isAdmin ? <here.view query={query} /> : <NoAdmin />}
    </div>
  );
}

const NoAdmin = () => (
  <Empty title="This needs the scope admin">
    <p>Sign in with a token that has it.</p>
  </Empty>
);
