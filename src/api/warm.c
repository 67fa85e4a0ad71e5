/* `GET /v1/warm`: which models have instances now, of those that the caller may see. */
#include "api/api-private.h"
#include "base/error.h"
#include "store/models.h"

typedef struct
{
  VendApi *api;
  VendCall *call;
  int64_t account_id; /* 0: nobody's */
  GPtrArray *warm;    /* of VendWarm */
} Question;

static void
question_free (Question *question)
{
  g_clear_pointer (&question->warm, g_ptr_array_unref);
  g_free (question);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Question, question_free)

static bool
may_see (VendDb *db, const Question *question, int64_t model_id)
{
  g_autoptr (VendModel) model = NULL;
  return vend_store_model_get (db, model_id, &model, NULL)
         && (!model->is_private || model->account_id == question->account_id);
}

/* Versions of a model are targets of their own: the readiest counts. */
static void
reply (void *data)
{
  g_autoptr (Question) question = data;
  json_t *models = json_object ();
  {
    g_auto (VendReader) reader = vend_reader (question->api->parts.store);
    for (guint i = 0; i < question->warm->len; i++)
      {
        const VendWarm *warm = g_ptr_array_index (question->warm, i);
        const bool is_known = json_object_get (models, warm->model) != NULL;
        if (is_known ? warm->is_ready : may_see (reader.db, question, warm->model_id))
          vend_json_set_string (models, warm->model, warm->is_ready ? "warm" : "starting");
      }
  }
  const bool is_cut = question->warm->len >= VEND_WARM_MAX;
  vend_call_reply (question->call, vend_reply_json (200, json_pack ("{s:o, s:b}", "models", models,
                                                                    "complete", !is_cut)));
}

/* Core thread. */
static void
told (GPtrArray *take, void *data)
{
  Question *question = data;
  question->warm = take;
  vend_later_run (question->api->later, VEND_LANE_REPLIES, reply, question);
}

static bool
get_warm (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  Question *question = g_new0 (Question, 1);
  *question = (Question){ .api = api, .call = call, .account_id = caller->account->id };
  vend_sched_warm (api->parts.sched, told, question);
  return true;
}

const ApiRoute vend_api_warm_routes[] = {
  { "GET", "/v1/warm", VEND_SCOPE_READ, VEND_BODY_NONE, get_warm, NULL,
    .opened_by = "public-catalogue" },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
