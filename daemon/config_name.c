#include "daemon/config_name.h"

#include "daemon/credential_paths.h"
#include "daemon/mqtt/credentials.h"
#include "daemon/shadow/topics.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Take the first line of a file without blanks around it. */
static int name_from_file(const char *path, char ret_name[static FLUX_THING_NAME_MAX + 2])
{
    FILE *stream = fopen(path, "re");
    if (!stream)
        return -errno;
    char line[FLUX_THING_NAME_MAX + 64] = "";
    errno = 0;
    const char *got = fgets(line, sizeof(line), stream);
    const int error = errno;
    (void)fclose(stream);
    if (!got)
        return error ? -error : -ENODATA;

    const size_t begin = strspn(line, " \t");
    size_t size = strcspn(line + begin, "\r\n");
    while (size > 0 && strchr(" \t", line[begin + size - 1]))
        size--;
    (void)snprintf(ret_name, FLUX_THING_NAME_MAX + 2, "%.*s", (int)size, line + begin);
    return 0;
}

/* Returns 0, or why the name could not be had. */
static int name_from(const char *source, const char *certificate_file,
                     char ret_name[static FLUX_THING_NAME_MAX + 2])
{
    if (strncmp(source, "file:", 5) == 0)
        return name_from_file(source + 5, ret_name);
    if (strcmp(source, "machine-id") == 0)
        return name_from_file("/etc/machine-id", ret_name);
    if (strcmp(source, "hostname") == 0) {
        ret_name[FLUX_THING_NAME_MAX + 1] = '\0';
        return gethostname(ret_name, FLUX_THING_NAME_MAX + 1) < 0 ? -errno : 0;
    }
    if (strcmp(source, "certificate-cn") == 0)
        return credentials_common_name(certificate_file, ret_name, FLUX_THING_NAME_MAX + 2);
    return -EINVAL;
}

/* It may come later, with its directory or the right to read it. */
static bool may_come(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -EACCES;
}

static int wait_for_certificate(struct config *config, const char *path, int error)
{
    const struct config_value *value = &config->values[CONFIG_THING_NAME_FROM];
    return config_add_problem(
        config, CONFIG_NOTE, value->file, value->line,
        "NameFrom=certificate-cn: %s: %s; programs are served without a name, "
        "and it is taken when the certificate is there",
        path, strerror(-error));
}

static int refuse(struct config *config, enum config_id id, const char *why)
{
    const struct config_value *value = &config->values[id];
    const int r = config_add_problem(config, CONFIG_MISSING, value->file, value->line, "%s=%s: %s",
                                     config_key(id)->name, value->text, why);
    return r < 0 ? r : -ENOENT;
}

static const char not_a_name[] = "not a thing's name (1 to 128 of a-z A-Z 0-9 : _ -)";

/* A Name that cannot be, or an empty one without NameFrom, gives way to one that was said before.
 */
static int fall_back(struct config *config)
{
    const struct config_value *name = &config->values[CONFIG_THING_NAME];
    const bool is_wanted = *name->text ? !topic_is_thing_name(name->text)
                                       : *config_text(config, CONFIG_THING_NAME_FROM) == '\0';
    if (!is_wanted || !config->earlier_name.text)
        return 0;
    const int r = config_add_problem(
        config, CONFIG_BAD_VALUE, name->file, name->line, "Name=%s is %s; using %s, from %s:%u",
        name->text, *name->text ? not_a_name : "no name, and there is no NameFrom",
        config->earlier_name.text, config->earlier_name.file, config->earlier_name.line);
    if (r == 0)
        config_use_earlier_name(config);
    return r;
}

int config_resolve_name(struct config *config, const char *state_directory,
                        const char *credentials_directory,
                        char ret_name[static FLUX_THING_NAME_MAX + 1])
{
    int r = fall_back(config);
    if (r < 0)
        return r;
    const char *name = config_text(config, CONFIG_THING_NAME);
    const char *source = config_text(config, CONFIG_THING_NAME_FROM);
    if (*name) {
        if (!topic_is_thing_name(name))
            return refuse(config, CONFIG_THING_NAME, not_a_name);
        (void)snprintf(ret_name, FLUX_THING_NAME_MAX + 1, "%s", name);
        return 0;
    }
    if (!*source) {
        r = config_add_problem(config, CONFIG_MISSING, NULL, 0,
                               "[Thing] Name is missing (or NameFrom)");
        return r < 0 ? r : -ENOENT;
    }
    char found[FLUX_THING_NAME_MAX + 2] = "";
    struct credential_paths paths;
    credential_paths_find(&paths, config, state_directory, credentials_directory);
    r = name_from(source, paths.certificate_file, found);
    const bool is_by_certificate = strcmp(source, "certificate-cn") == 0;
    if (is_by_certificate && may_come(r)) {
        ret_name[0] = '\0';
        return wait_for_certificate(config, paths.certificate_file, r);
    }
    if (is_by_certificate && r < 0) {
        char why[PATH_MAX + 64];
        (void)snprintf(why, sizeof(why), "the certificate %s cannot be read or has no common name",
                       paths.certificate_file);
        return refuse(config, CONFIG_THING_NAME_FROM, why);
    }
    if (r == -EINVAL)
        return refuse(config, CONFIG_THING_NAME_FROM,
                      "none of file:PATH, hostname, machine-id, certificate-cn");
    if (r < 0)
        return refuse(config, CONFIG_THING_NAME_FROM, strerror(-r));
    if (!topic_is_thing_name(found))
        return refuse(config, CONFIG_THING_NAME_FROM, not_a_name);
    (void)snprintf(ret_name, FLUX_THING_NAME_MAX + 1, "%s", found);
    return 0;
}

int config_name_by_certificate(const struct config *config, const char *state_directory,
                               const char *credentials_directory,
                               char ret_name[static FLUX_THING_NAME_MAX + 1])
{
    struct credential_paths paths;
    char found[FLUX_THING_NAME_MAX + 2] = "";
    credential_paths_find(&paths, config, state_directory, credentials_directory);
    const int r = credentials_common_name(paths.certificate_file, found, sizeof(found));
    if (r < 0)
        return r;
    if (!topic_is_thing_name(found))
        return -EINVAL;
    memcpy(ret_name, found, strlen(found) + 1);
    return 0;
}
