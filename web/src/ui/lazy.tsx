import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure } from "./states.tsx";

/** A component, mostly a page, whose code is fetched on first use. */
export function load<Props extends object>(fetchPage: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function Lazy(props: Props) {
    const [Shown, setShown] = useState<ComponentType<Props> | null>(() => loaded);
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
