/* coglet's worker without coglet's server, inside: the process and its control channel
 * (worker-server.c), its slots (worker-slots.c), one run on a slot (worker-call.c) and the files
 * that it makes (worker-files.c). The protocol is that of coglet's
 * crates/coglet/src/bridge/protocol.rs. Main context. */
#pragma once
#include "base/embedded.h"
#include "director/execution-private.h"
#include "director/model-server.h"
#include "director/output-file.h"
#include "director/run-folder.h"
#include "director/slot-channel.h"
#include "director/slot-marks.h"
#include "director/slot-message.h"

/* worker-main.py: what the process of the worker runs. */
extern const VendEmbeddedFile vend_worker_main[];

typedef struct VendWorkerServer VendWorkerServer;
typedef struct VendWorkerCall VendWorkerCall;

#define VEND_WORKER_PIPES 2 /* stdout and stderr of the worker's process */

/* Everything that was printed before it; 0: nothing is waited for. */
typedef struct
{
  guint number[VEND_WORKER_PIPES];
} VendWorkerMark;

typedef struct
{
  int fd; /* into the worker's pipe; -1: it cannot be opened */
  guint set;
  VendSlotMarks marks;
} VendWorkerPrinted;

typedef struct
{
  VendWorkerServer *server;
  guint number;
  char *id; /* as the worker calls it; NULL before it is ready */
  int listener;
  GSource *accept_source;
  VendSlotChannel *channel; /* NULL: not connected */
  VendWorkerCall *call;     /* NULL: nobody listens any more to what it says */
  bool is_busy;             /* from a `predict` to its `idle`: another would be ignored */
  bool is_stale;            /* frames of a run that was ended early are still to come */
  bool said_idle;           /* the worker, before them */
  bool was_canceled;        /* a cancel may still be on its way, to whatever runs next */
  VendRunFolder folder;
} VendWorkerSlot;

struct VendWorkerServer
{
  VendModelServer base;
  VendWorkerSlot *slots;
  guint n_slots;
  VendSlotChannel *control;
  ino_t control_inode;
  json_t *openapi; /* NULL: the model has none */
  bool output_is_array;
  bool is_setup;         /* the worker said `ready` */
  bool is_setup_printed; /* and what it printed has come */
  bool is_ready;         /* and that was told */
  bool is_over;          /* unfit, lost or sick, and that was told */
  guint n_ended;         /* runs */
  bool has_printed;      /* past Python since setup: it may do so in each run */
  bool is_shared_line_open;
  VendWorkerPrinted printed[VEND_WORKER_PIPES];
  VendWorkerMark setup_mark;
  guint mark_timer;
  int root_fd;   /* of the worker; -1 before it is ready, as the next two */
  int mounts_fd; /* keeps its mounts, and so its /tmp, where it has ended */
  int process_fd;
  pid_t pid;                /* of the process that runs the model */
  GQueue waiting;           /* of VendWorkerCall without a slot */
  VendWorkerCall *printing; /* ended, and off its slot: what it printed may still come; or NULL */
  guint wait_timer;
  guint lost_timer;
  char *lost_why;
  /* Health. */
  guint health_timer;
  guint health_number; /* of the question that was asked last */
  bool is_asked;
  guint missed;
};

/* How the model ended a run. */
typedef struct
{
  VendSlotKind kind; /* UNKNOWN: it has not */
  bool is_stream;
  double predict_time;
  char *error;
} VendWorkerEnd;

typedef struct VendWorkerFile VendWorkerFile; /* one that was taken, or is being taken */

struct VendWorkerCall
{
  VendWorkerServer *server;
  VendExecution *execution;
  VendWorkerSlot *slot; /* NULL: it waits for one, or the run is over */
  int64_t waits_until_us;
  int64_t asked_us; /* before the worker could know; 0: it was not asked */
  VendWorkerEnd end;
  bool is_idle;        /* its slot is */
  VendWorkerMark mark; /* what it printed comes before that */
  json_t *outputs;     /* of a model that does not iterate */
  gsize outputs_size;
  VendWorkerFile *taking; /* the slot is held until it is there */
  GHashTable *taken;      /* path -> what the last piece was made of; NULL: none yet */
};

/* Something that the worker must not do. Before the model is ready another kind of server may do
 * better. */
void vend_worker_problem (VendWorkerServer *server, const char *why);
/* The other end of a connection is gone, as when the process ends. */
void vend_worker_closed (VendWorkerServer *server, const char *problem);
/* Whether the process that runs the model is there no more; its end may not have been told yet. */
bool vend_worker_has_ended (const VendWorkerServer *server);
/* To the control channel; steals it. */
void vend_worker_tell (VendWorkerServer *server, json_t *message);

/* worker-slots.c */
bool vend_worker_slots_listen (VendWorkerServer *server, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the worker has connected to all of them. */
bool vend_worker_slots_accept (VendWorkerServer *server);
void vend_worker_slots_clear (VendWorkerServer *server);
bool vend_worker_slots_are_idle (const VendWorkerServer *server);
VendWorkerSlot *vend_worker_slots_find (const VendWorkerServer *server, const char *id);
/* The worker says that it takes the next run there. */
void vend_worker_slot_take_idle (VendWorkerSlot *slot);
/* An answer to what vend_worker_slot_take_idle asks after a cancel. */
void vend_worker_slot_take_answer (VendWorkerServer *server, const char *id);
/* The worker has ended: a run whose end it told is over, though its slot never got idle. */
void vend_worker_slots_gone (const VendWorkerServer *server);
void vend_worker_slots_take_marks (VendWorkerServer *server);
/* What is printed by a run that has ended, or without saying by which (NULL). */
void vend_worker_slots_print (VendWorkerServer *server, const VendWorkerCall *by, const char *text,
                              gsize size);

/* worker-call.c: members of VendModelServerKind, and what slots tell. */
void vend_worker_execute (VendModelServer *server, VendExecution *execution);
bool vend_worker_is_asked (const VendExecution *execution);
void vend_worker_cancel (VendExecution *execution);
bool vend_worker_is_told (const VendExecution *execution);
void vend_worker_settle (VendExecution *execution);
bool vend_worker_ended (VendExecution *execution);
void vend_worker_release (VendExecution *execution);
void vend_worker_call_take (VendWorkerCall *call, const char *text, gsize size);
void vend_worker_call_take_idle (VendWorkerCall *call);
/* One output as it is passed on, new; `size` bytes as the model wrote it. */
void vend_worker_call_add (VendWorkerCall *call, json_t *output, gsize size);
void vend_worker_call_dispatch (VendWorkerServer *server);

void vend_worker_call_check_end (VendWorkerCall *call);

/* worker-printed.c */
void vend_worker_printed_open (VendWorkerServer *server);
void vend_worker_printed_clear (VendWorkerServer *server);
/* Something waits to be passed on by the worker. */
bool vend_worker_printed_has_more (const VendWorkerServer *server);
VendWorkerMark vend_worker_printed_mark (VendWorkerServer *server);
bool vend_worker_printed_is_met (const VendWorkerServer *server, const VendWorkerMark *mark);
/* No mark comes any more. */
void vend_worker_printed_give_up (VendWorkerServer *server);
/* What came over the control channel. */
void vend_worker_printed_take (VendWorkerServer *server, bool is_stderr, const char *text,
                               gsize size);
/* Some mark was met: who waits for it goes on. */
void vend_worker_marks_met (VendWorkerServer *server);

/* worker-files.c */
void vend_worker_call_take_file (VendWorkerCall *call, const json_t *message);
void vend_worker_call_forget_files (VendWorkerCall *call);
