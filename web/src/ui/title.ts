import { useEffect } from "preact/hooks";

/** The title of the browser's tab while the page is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? "Vend" : `${title} – Vend`;
    return () => {
      document.title = "Vend";
    };
  }, [title]);
}
