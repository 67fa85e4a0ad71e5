import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { onUnauthorized, onUpgrade } from "./api/client.ts";
import { findRoute, startRouter, usePlace, type Route } from "./router.ts";
import { Layout } from "./ui/layout.tsx";
import { NotFound } from "./ui/not-found.tsx";
import { SessionProvider } from "./session.tsx";
import { SignIn } from "./pages/sign-in/sign-in.tsx";
import { routes } from "./routes.ts";
import { load } from "./ui/lazy.tsx";

export interface PageProps {
  params: Record<string, string>;
  query: URLSearchParams;
}

export type Page = ComponentType<PageProps>;

/** One component for a page of several addresses, so that it stays when only its tab changes. */
const pages = new Map(routes.map(({ page }) => [page, load(page)]));
const table: readonly Route<Page>[] = routes.flatMap(({ pattern, page }) => {
  const shown = pages.get(page);
  return shown === undefined ? [] : [{ pattern, page: shown }];
});

export function App() {
  const place = usePlace();
  const [isSignedOut, setSignedOut] = useState(false);
  const [isOld, setOld] = useState(false);
  useEffect(startRouter, []);
  useEffect(() => onUnauthorized(() => setSignedOut(true)), []);
  useEffect(() => onUpgrade(() => setOld(true)), []);

  if (isSignedOut) return <SignIn onDone={() => location.reload()} />;
  const found = findRoute(table, place.path);
  return (
    <SessionProvider>
      <Layout path={place.path} isOld={isOld}>
        {found === null ? <NotFound /> : <found.page key={found.params["name"]} params={found.params} query={place.query} />}
      </Layout>
    </SessionProvider>
  );
}
