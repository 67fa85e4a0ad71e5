/** The session of this browser: a cookie that scripts cannot read. */
import { api, must, problem, type Schemas } from "./client.ts";

export interface Session {
  username: string;
  type: string;
  scopes: readonly ("read" | "run" | "push" | "admin")[];
}

export async function readSession(): Promise<Session | null> {
  const reply = await fetch("/-/session", { credentials: "same-origin" });
  if (reply.status === 401 || reply.status === 404) return null;
  const body: unknown = await reply.json();
  if (!reply.ok) throw problem(reply.status, body);
  return body as Session;
}

export async function signIn(token: string): Promise<void> {
  const reply = await fetch("/-/session", {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (!reply.ok) throw problem(reply.status, await reply.json().catch(() => null));
}

export async function signOut({ everywhere = false } = {}): Promise<void> {
  await fetch(everywhere ? "/-/session?everywhere=true" : "/-/session", { method: "DELETE", credentials: "same-origin" });
  location.assign("/explore");
}

export type Account = Schemas["OwnAccount"];
export const readAccount = (): Promise<Account> => must(api.GET("/v1/account"));
