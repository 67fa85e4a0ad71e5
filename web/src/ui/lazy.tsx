import { useEffect, useState } from "preact/hooks";
import type { Page, PageProps } from "../app.tsx";
import { Failure } from "./states.tsx";

/** A page whose code is fetched on first use. */
export function load(fetchPage: () => Promise<Page>): Page {
  let loaded: Page | null = null;
  return function Lazy(props: PageProps) {
    const [Shown, setShown] = useState<Page | null>(() => loaded);
    const [hasFailed, setFailed] = useState(false);
    useEffect(() => {
      if (Shown !== null) return;
      fetchPage().then(
        (page) => {
          loaded = page;
          setShown(() => page);
        },
        () => setFailed(true),
      );
    }, []);
    if (Shown !== null) return <Shown {...props} />;
    if (!hasFailed) return <div aria-busy="true" style={{ minHeight: "60vh" }} />;
    return <Failure message="This part of the page could not be loaded." onRetry={() => location.reload()} />;
  };
}
