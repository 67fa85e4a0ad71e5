/* The card of a model: what people see of it, read from vend.yaml and README.md beside cog.yaml.
 * Used by `vend push`, `vend examples` and the builder. Blocks on disk for these files and for
 * those that they name. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

#define VEND_CARD_YAML "vend.yaml"
#define VEND_CARD_README "README.md"
#define VEND_CARD_MAX_EXAMPLES 50
#define VEND_CARD_MAX_FILES 1000 /* places of a vend.yaml that name one */

/* An object with this member alone stands for a file of the project: {"path", "name", "type",
 * "size", "sha256"}, the path below the project. */
#define VEND_CARD_FILE "$vend.file"

typedef struct
{
  json_t *content; /* object; docs/architecture/build.md says what is in it */
  json_t *lines;   /* where examples stand: [{"line": 3, "input": {"steps": 5}}, …] */
} VendCard;

void vend_card_free (VendCard *card);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCard, vend_card_free)

/* Whether the folder has any of the two files. */
bool vend_card_is_there (const char *project_dir);

/* Without the files an empty card. `problems` and `warnings` (of char *, "vend.yaml:12:
 * examples[0].input.image: file 'cat.png' does not exist") are appended to. NULL when there is any
 * problem. */
VendCard *vend_card_load (const char *project_dir, GPtrArray *problems, GPtrArray *warnings)
    G_GNUC_WARN_UNUSED_RESULT;

/* Checks the inputs of the examples against the version's schema; false when there is any problem.
 * Afterwards they are as a prediction's: whole numbers are integers, Secrets asterisks. */
bool vend_card_check_inputs (VendCard *card, const json_t *openapi, GPtrArray *problems);
