-- Lists of runs by a filter, in the order of the list. Runs that have not ended have predictions_open.
CREATE INDEX predictions_of_model ON predictions (account_id, kind, model, created_us, id);
CREATE INDEX predictions_of_deployment_by_creation ON predictions (account_id, kind, deployment, created_us, id)
  WHERE deployment IS NOT NULL;
-- Failed, canceled and aborted: a run that succeeds writes nothing here.
CREATE INDEX predictions_unsuccessful ON predictions (account_id, kind, status, created_us, id)
  WHERE status > 2;
