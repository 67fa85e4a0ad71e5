/* The API's own description: routes and operations.json brought together. */
#include "api/openapi.h"
#include <string.h>

#ifndef VEND_VERSION
#define VEND_VERSION "0.1.0"
#endif

/* openapi/operations.json */
extern const char vend_api_operations[];

#define PROBLEM "application/problem+json"
#define PAGE_OF "Page of "

static json_t *
reference (const char *schema)
{
  return json_pack ("{s:o}", "$ref", json_sprintf ("#/components/schemas/%s", schema));
}

/* A list object around a schema. */
static json_t *
page_of (const char *schema)
{
  return json_pack ("{s:s, s:[s,s,s], s:{s:{s:[s,s]}, s:{s:[s,s]}, s:{s:s, s:o}}}", "type",
                    "object", "required", "next", "previous", "results", "properties", "next",
                    "type", "string", "null", "previous", "type", "string", "null", "results",
                    "type", "array", "items", reference (schema));
}

static json_t *
content (const char *type, json_t *schema)
{
  return json_pack ("{s:{s:o}}", type, "schema", schema);
}

static json_t *
plain (const char *type)
{
  return content (type, json_pack ("{s:s}", "type", "string"));
}

/* "Model", "Page of Model", or a content type. */
static json_t *
reply_content (const char *what)
{
  if (strchr (what, '/') != NULL)
    return plain (what);
  if (g_str_has_prefix (what, PAGE_OF))
    return content ("application/json", page_of (what + strlen (PAGE_OF)));
  return content ("application/json", reference (what));
}

static json_t *
responses (const json_t *operation)
{
  json_t *all = json_object ();
  const char *status;
  json_t *what;
  json_object_foreach (json_object_get (operation, "replies"), status, what)
    {
      json_t *one = json_pack ("{s:s}", "description", *status == '2' ? "Done" : "Refused");
      if (json_is_string (what))
        json_object_set_new (one, "content", reply_content (json_string_value (what)));
      json_object_set_new (all, status, one);
    }
  json_object_set_new (all, "default",
                       json_pack ("{s:s, s:o}", "description", "What is wrong", "content",
                                  content (PROBLEM, reference ("Problem"))));
  return all;
}

static json_t *
request_body (const ApiRoute *route, const char *body)
{
  json_t *of_type = NULL;
  if (strcmp (body, "text") == 0)
    of_type = plain ("text/plain");
  else if (strcmp (body, "bytes") == 0)
    of_type = plain ("application/octet-stream");
  else
    of_type
        = content (route->body == VEND_BODY_MULTIPART ? "multipart/form-data" : "application/json",
                   reference (body));
  return json_pack ("{s:b, s:o}", "required", 1, "content", of_type);
}

static void
add_named (json_t *parameters, const json_t *names, const json_t *known)
{
  size_t i;
  json_t *name;
  json_array_foreach ((json_t *) names, i, name)
    {
      const json_t *parameter = json_object_get (known, json_string_value (name));
      if (parameter == NULL)
        g_error ("operations.json does not say what '%s' is", json_string_value (name));
      json_t *own = json_copy ((json_t *) parameter);
      json_object_set (own, "name", name);
      json_array_append_new (parameters, own);
    }
}

static json_t *
parameters_of (const ApiRoute *route, const json_t *operation, const json_t *known)
{
  json_t *parameters = json_array ();
  for (const char *open = strchr (route->pattern, '{'); open != NULL; open = strchr (open, '{'))
    {
      const char *close = strchr (++open, '}');
      g_autofree char *name = g_strndup (open, (gsize) (close - open));
      json_array_append_new (parameters,
                             json_pack ("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in", "path",
                                        "required", 1, "schema", "type", "string"));
    }
  add_named (parameters, json_object_get (operation, "query"), known);
  add_named (parameters, json_object_get (operation, "headers"), known);
  return parameters;
}

static json_t *
describe (const ApiRoute *route, const json_t *operation, const json_t *known)
{
  const char *body = vend_json_string (operation, "body");
  json_t *made = json_object ();
  json_object_set (made, "operationId", json_object_get (operation, "id"));
  json_object_set (made, "summary", json_object_get (operation, "summary"));
  json_object_set_new (made, "tags", json_pack ("[O]", json_object_get (operation, "tag")));
  json_object_set_new (made, "parameters", parameters_of (route, operation, known));
  if (body != NULL)
    json_object_set_new (made, "requestBody", request_body (route, body));
  json_object_set_new (made, "responses", responses (operation));
  /* A bearer token has no scopes in this format, so the one that is needed has a name of its own.
   */
  if (route->scope == 0)
    json_object_set_new (made, "security", json_array ());
  else
    vend_json_set_string (made, "x-scope", vend_scope_name ((VendScope) route->scope));
  return made;
}

static json_t *
start_document (json_t *schemas)
{
  return json_pack ("{s:s, s:{s:s, s:s, s:s}, s:[{s:[]}], s:{s:{s:{s:s, s:s}}, s:O}, s:{}}",
                    "openapi", "3.1.0", "info", "title", "Vend", "version", VEND_VERSION,
                    "description",
                    "The Replicate HTTP API, and the additions of Vend. Paths that begin with /v1 "
                    "are also served without this prefix and with a second one.",
                    "security", "token", "components", "securitySchemes", "token", "type", "http",
                    "scheme", "bearer", "schemas", schemas, "paths");
}

json_t *
vend_openapi_new (const ApiRoute *const *tables)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *said = NULL;
  if (!vend_json_parse (vend_api_operations, strlen (vend_api_operations), &said, &error))
    g_error ("operations.json: %s", error->message);
  json_t *operations = json_object_get (said, "operations");
  json_t *document = start_document (json_object_get (said, "schemas"));
  json_t *paths = json_object_get (document, "paths");

  for (; *tables != NULL; tables++)
    for (const ApiRoute *route = *tables; route->method != NULL; route++)
      {
        /* The registry's paths are those of a specification of their own. */
        if (route->is_oci)
          continue;
        g_autofree char *key = g_strdup_printf ("%s %s", route->method, route->pattern);
        const json_t *operation = json_object_get (operations, key);
        if (operation == NULL)
          g_error ("operations.json says nothing of '%s'", key);
        if (json_object_get (paths, route->pattern) == NULL)
          json_object_set_new (paths, route->pattern, json_object ());
        /* OpenAPI 3.1 has no place for methods of one's own. */
        g_autofree char *lower = g_ascii_strdown (route->method, -1);
        json_object_set_new (json_object_get (paths, route->pattern),
                             strcmp (lower, "query") == 0 ? "x-query" : lower,
                             describe (route, operation, json_object_get (said, "parameters")));
        json_object_del (operations, key);
      }
  if (json_object_size (operations) > 0)
    g_error ("operations.json tells of '%s', which is no route",
             json_object_iter_key (json_object_iter (operations)));
  return document;
}
