import type { ComponentType } from "preact";
import { useState } from "preact/hooks";
import type { PageProps } from "../../app.tsx";
import { readAccount, signOut } from "../../api/session.ts";
import { useData } from "../../api/use-data.ts";
import { useMay } from "../../session.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { NotFound } from "../../ui/not-found.tsx";
import { bytes } from "../../ui/quantities.ts";
import { Pending } from "../../ui/states.tsx";
import { TabLinks } from "../../ui/tabs.tsx";
import { Files } from "./files.tsx";
import { Tokens } from "./tokens.tsx";
import { Usage } from "./usage.tsx";
import { Webhooks } from "./webhooks.tsx";
import { WeightsTab } from "./weights.tsx";
import "./account.css";

export interface TabProps {
  /** The account that is looked at: the caller's, or another one that an operator chose. */
  username: string;
  query: URLSearchParams;
}

const tabs: readonly { id: string; label: string; view: ComponentType<TabProps>; isOfOthers?: boolean }[] = [
  { id: "tokens", label: "Tokens", view: Tokens, isOfOthers: true },
  { id: "webhooks", label: "Webhooks", view: Webhooks },
  { id: "files", label: "Files", view: Files },
  { id: "weights", label: "Weights", view: WeightsTab },
  { id: "usage", label: "Usage", view: Usage, isOfOthers: true },
];

function SignOutEverywhere() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button button-small" onClick={() => setOpen(true)}>
        Sign out everywhere
      </button>
      {isOpen && (
        <Confirm title="Sign out everywhere" action="Sign out everywhere" onConfirm={() => signOut({ everywhere: true })} onClose={() => setOpen(false)}>
          <p>All browsers that are signed in with the same token are signed out. The token stays valid.</p>
        </Confirm>
      )}
    </>
  );
}

export function AccountPage({ params, query }: PageProps) {
  const here = tabs.find((tab) => tab.id === (params["tab"] ?? "tokens"));
  const account = useData(readAccount, []);
  const isAdmin = useMay("admin");
  if (here === undefined) return <NotFound />;
  const own = account.data;
  if (own === null) return <Pending loaded={account} rows={6} />;
  const other = here.isOfOthers === true && isAdmin ? query.get("account") : null;
  const username = other ?? own.username;
  const isOwn = username === own.username;
  const limit = own.stored_bytes_limit;
  return (
    <div class="stack">
      <div class="row spread">
        <div>
          <h1>{isOwn ? `Account ${own.username}` : `Account ${username}, seen by an operator`}</h1>
          <p class="muted">
            {isOwn ? (
              `${own.type}, ${bytes(own.stored_bytes)} stored${limit === null ? "" : ` of at most ${bytes(limit)}`}`
            ) : (
              <a href="/operate/accounts">All accounts</a>
            )}
          </p>
        </div>
        {isOwn && <SignOutEverywhere />}
      </div>
      <TabLinks
        label="Parts of the account"
        tabs={tabs
          .filter((tab) => isOwn || tab.isOfOthers === true)
          .map((tab) => ({
            href: `/account/${tab.id}${isOwn ? "" : `?account=${encodeURIComponent(username)}`}`,
            label: tab.label,
            isHere: tab === here,
          }))}
      />
      <here.view key={username} username={username} query={query} />
    </div>
  );
}
