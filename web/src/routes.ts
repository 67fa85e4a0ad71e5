/** The pages by address; each is a file of its own that is loaded when it is first looked at. */
import type { Page } from "./app.tsx";

export interface LazyRoute {
  pattern: string;
  page: () => Promise<Page>;
}

const explore = () => import("./pages/explore/explore.tsx").then((m) => m.Explore);
const collection = () => import("./pages/explore/collection.tsx").then((m) => m.CollectionPage);
const model = () => import("./pages/model/model.tsx").then((m) => m.ModelPage);
const prediction = () => import("./pages/prediction/prediction.tsx").then((m) => m.PredictionPage);
const shared = () => import("./pages/shared/shared.tsx").then((m) => m.SharedPage);
const predictions = () => import("./pages/runs/runs.tsx").then((m) => m.Predictions);
const trainings = () => import("./pages/runs/runs.tsx").then((m) => m.Trainings);
const deployments = () => import("./pages/deployments/deployments.tsx").then((m) => m.Deployments);
const deployment = () => import("./pages/deployments/deployment.tsx").then((m) => m.DeploymentPage);
const operate = () => import("./pages/operate/operate.tsx").then((m) => m.Operate);
const signIn = () => import("./pages/sign-in/page.tsx").then((m) => m.SignInPage);
const account = () => import("./pages/account/account.tsx").then((m) => m.AccountPage);

/** In the order of matching: literals before the names of models. */
export const routes: readonly LazyRoute[] = [
  { pattern: "/", page: explore },
  { pattern: "/explore", page: explore },
  { pattern: "/collections/:slug", page: collection },
  { pattern: "/sign-in", page: signIn },
  { pattern: "/predictions", page: predictions },
  { pattern: "/trainings", page: trainings },
  { pattern: "/p/:id", page: prediction },
  { pattern: "/s/:token", page: shared },
  { pattern: "/deployments", page: deployments },
  { pattern: "/deployments/:owner/:name", page: deployment },
  { pattern: "/operate", page: operate },
  { pattern: "/operate/:tab", page: operate },
  { pattern: "/account", page: account },
  { pattern: "/account/:tab", page: account },
  { pattern: "/:owner/:name", page: model },
  { pattern: "/:owner/:name/:tab", page: model },
  { pattern: "/:owner/:name/:tab/:part", page: model },
];
