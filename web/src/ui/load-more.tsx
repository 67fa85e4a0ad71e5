import { useEffect, useRef } from "preact/hooks";
import type { Pages } from "../api/use-pages.ts";
import { Failure } from "./states.tsx";

/** The end of a list: brings the next page when it comes into view. */
export function LoadMore<Row>({ pages }: { pages: Pages<Row> }) {
  const end = useRef<HTMLDivElement>(null);
  const more = useRef(pages.more);
  more.current = pages.more;
  const isReady = pages.hasMore && !pages.isLoading && pages.error === null;

  useEffect(() => {
    const element = end.current;
    if (!isReady || element === null) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && more.current(),
      { rootMargin: "50%" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [isReady]);

  if (pages.error !== null && pages.rows !== null) {
    return <Failure message={pages.error.message} onRetry={pages.more} />;
  }
  if (!pages.hasMore) return null;
  return (
    <div ref={end} class="row" style={{ justifyContent: "center" }}>
      <button type="button" class="button" disabled={pages.isLoading} onClick={pages.more}>
        {pages.isLoading ? "Loading" : "Show more"}
      </button>
    </div>
  );
}
