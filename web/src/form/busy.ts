import { createContext } from "preact";

/** Told by +1 and -1 of work that a run has to wait for, such as an upload. */
export const FormBusy = createContext<(change: 1 | -1) => void>(() => {});
