import { useEffect, useLayoutEffect } from "preact/hooks";
import { cameBack } from "../../router.ts";

let leftFor = "";

/** Somebody who comes back from a model finds its card again, in view and with the focus. */
export function useReturn(isReady: boolean): void {
  useEffect(
    () => () => {
      leftFor = location.pathname;
    },
    [],
  );
  useLayoutEffect(() => {
    if (!isReady || !cameBack() || leftFor === "") return;
    document.querySelector<HTMLElement>(`.model-card a[href="${CSS.escape(leftFor)}"]`)?.focus();
    leftFor = "";
  }, [isReady]);
}
