/* The public file API of a model hub: what it says of a repository. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "weights/source.h"

#define VEND_HUB_DEFAULT "https://huggingface.co"
#define VEND_HUB_MAX_LISTING ((gsize) 64 << 20)

/* Where the hub is, and how this server shows itself there. Borrowed. */
typedef struct
{
  const char *endpoint; /* without a final '/' */
  const char *token;    /* or NULL */
  bool is_own;          /* the operator named it: it may have any address */
} VendHub;

typedef struct
{
  char *path;
  int64_t size;
  char *sha256; /* of large files; NULL: not told */
  char *git;    /* SHA-1 as git counts it, where SHA-256 is not told; or NULL */
} VendHubFile;

typedef struct
{
  char *commit;
  GPtrArray *files; /* of VendHubFile, wanted ones, by path */
} VendHubListing;

void vend_hub_listing_free (VendHubListing *listing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendHubListing, vend_hub_listing_free)

/* The URL that lists a source's files. Free with g_free. */
char *vend_hub_listing_url (const VendHub *hub, const VendWeightSource *source)
    G_GNUC_WARN_UNUSED_RESULT;
/* The answer to it. RUNNER when it is none, or no file is wanted. */
bool vend_hub_listing_parse (const char *text, gsize size, const VendWeightSource *source,
                             VendHubListing **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
