import { api, must, type Schemas } from "../../api/client.ts";
import { usePages } from "../../api/use-pages.ts";
import { Badge } from "../../ui/badge.tsx";
import { LoadMore } from "../../ui/load-more.tsx";
import { shortId } from "../../ui/quantities.ts";
import { Failure, Loading } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { changesOfRelease } from "./release-changes.ts";

type Release = Schemas["ReleaseRecord"];

function Entry({ release, older, isCurrent }: { release: Release; older: Release | undefined; isCurrent: boolean }) {
  const changes = older === undefined ? [] : changesOfRelease(older, release);
  return (
    <li class="release">
      <span class="row">
        <strong>Release {release.number}</strong>
        {isCurrent && <Badge tone="good">Current</Badge>}
        <span class="muted">
          <Time at={release.created_at} /> by {release.created_by.username}
          {release.token !== null && <>, token {release.token}</>}
        </span>
      </span>
      {release.number === 1 ? (
        <span>
          Created with <a class="mono" href={`/${release.model}/versions/${release.version}`}>{shortId(release.version)}</a>
        </span>
      ) : (
        changes.map((change) => <span key={change}>{change}</span>)
      )}
    </li>
  );
}

/** All releases of a deployment, the newest first. */
export function History({ owner, name, current }: { owner: string; name: string; current: number }) {
  const pages = usePages(
    (cursor) =>
      must(
        api.GET("/v1/deployments/{owner}/{name}/releases", {
          params: { path: { owner, name }, query: cursor === undefined ? {} : { cursor } },
        }),
      ),
    [owner, name, current],
  );
  const { rows } = pages;
  return (
    <section class="stack deployments-part" aria-labelledby="history">
      <h2 id="history">History</h2>
      {rows === null ? (
        pages.error === null ? <Loading rows={2} /> : <Failure message={pages.error.message} onRetry={pages.more} />
      ) : (
        <>
          <ol class="releases" aria-label="Releases">
            {rows.map((release, i) => (
              <Entry key={release.number} release={release} older={rows[i + 1]} isCurrent={i === 0} />
            ))}
          </ol>
          <LoadMore pages={pages} />
        </>
      )}
    </section>
  );
}
