/* Parts of the card in files of their own. */
#pragma once
#include "build/cog-yaml-private.h"

/* ---- card-openai.c */
/* As openai/mapping.h has it; NULL without one. */
json_t *vend_card_read_openai (VendYamlValue root, VendYamlJson *json) G_GNUC_WARN_UNUSED_RESULT;
/* That the version has the inputs, and fits the endpoints. */
void vend_card_check_openai (const json_t *mapping, const json_t *openapi,
                             const VendYamlReport *report);
