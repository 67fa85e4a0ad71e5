import { createContext, type ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import { useData } from "./api/use-data.ts";
import { readSession, type Session } from "./api/session.ts";

const Current = createContext<Session | null>(null);

export function SessionProvider({ children }: { children: ComponentChildren }) {
  const session = useData(readSession, []);
  return <Current.Provider value={session.data}>{children}</Current.Provider>;
}

/** Who looks at the page; null before that is known, and without a session. */
export function useSession(): Session | null {
  return useContext(Current);
}

/** Whether the person may do what needs the scope. The API decides; this only hides. */
export function useMay(scope: Session["scopes"][number]): boolean {
  const session = useSession();
  return session !== null && (session.scopes.includes(scope) || session.scopes.includes("admin"));
}
