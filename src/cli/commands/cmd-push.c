/* `vend push`: a directory becomes a version. Main thread only. */
#include "cli/commands.h"
#include "base/error.h"
#include "cli/arguments/options.h"
#include "cli/commands/push.h"

typedef struct
{
  VendConnection connection;
  gboolean is_public;
  gboolean is_private;
  gboolean smoke;
  gboolean as_image;
} Flags;

static void
flags_clear (Flags *flags)
{
  vend_connection_clear (&flags->connection);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)

static bool
parse (int argc, char **argv, Flags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "private", 0, 0, G_OPTION_ARG_NONE, &flags->is_private,
      "for a new model: only the owner may run the model (default)", NULL },
    { "public", 0, 0, G_OPTION_ARG_NONE, &flags->is_public,
      "for a new model: every account may run the model", NULL },
    { "smoke", 0, 0, G_OPTION_ARG_NONE, &flags->smoke,
      "start the model once; a failed start fails the build", NULL },
    { "image", 0, 0, G_OPTION_ARG_NONE, &flags->as_image,
      "build an image with system_packages and build.run commands of its own", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "push",
    .usage = "[DIR] owner/name",
    .summary = "Builds a version of a model from a directory with a cog.yaml.",
    .details = "The build log goes to stderr; the last line of stdout is owner/name:VERSION.\n"
               "A source that the server has built already is neither uploaded nor built again.",
    .entries = entries,
    .connection = &flags->connection,
    .least = 1,
    .most = 2,
  };
  if (!vend_options_parse (&options, argc, argv, out_words, error))
    return false;
  if (flags->is_public && flags->is_private)
    return vend_fail (error, VEND_ERROR_INVALID, "--public and --private exclude each other");
  return !(flags->as_image && flags->smoke)
         || vend_fail (error, VEND_ERROR_INVALID, "--image and --smoke exclude each other");
}

static bool
push_model (const Flags *flags, char **words, GError **error)
{
  const bool has_dir = words[1] != NULL;
  if (!has_dir && g_file_test (words[0], G_FILE_TEST_IS_DIR)
      && !g_file_test ("cog.yaml", G_FILE_TEST_EXISTS))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' is a folder: name the model too, 'vend push %s owner/name'", words[0],
                      words[0]);
  const VendPushRequest request = { .connection = &flags->connection,
                                    .dir = has_dir ? words[0] : ".",
                                    .reference = has_dir ? words[1] : words[0],
                                    .is_public = flags->is_public,
                                    .is_private = flags->is_private,
                                    .smoke = flags->smoke,
                                    .as_image = flags->as_image };
  return vend_push (&request, error);
}

int
vend_cmd_push (int argc, char **argv)
{
  g_auto (Flags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  bool good = parse (argc, argv, &flags, &words, &error) && push_model (&flags, words, &error);
  return vend_exit_code (good, error);
}
