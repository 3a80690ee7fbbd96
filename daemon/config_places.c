#include "daemon/config_places.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tell of a place in the line that named it. */
static int complain(struct config *config, enum config_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int complain(struct config *config, enum config_id id, const char *format, ...)
{
    char text[PATH_MAX + 256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const struct config_value *value = &config->values[id];
    return config_add_problem(config, config_is_set(config, id) ? CONFIG_BAD_PLACE : CONFIG_NOTE,
                              value->file, value->line, "[%s] %s: %s", config_key(id)->section,
                              config_key(id)->name, text);
}

static void find_parent(const char *path, char ret_parent[static PATH_MAX])
{
    (void)snprintf(ret_parent, PATH_MAX, "%s", path);
    size_t size = strlen(ret_parent);
    while (size > 1 && ret_parent[size - 1] == '/')
        size--;
    while (size > 0 && ret_parent[size - 1] != '/')
        size--;
    ret_parent[size > 1 ? size - 1 : 1] = '\0';
}

/* One that is not there is made, if only it is missing. */
static int check_missing(struct config *config, enum config_id id, const char *directory)
{
    if (!config_is_set(config, id))
        return 0; /* systemd makes it */
    char parent[PATH_MAX];
    find_parent(directory, parent);
    if (access(parent, F_OK) < 0)
        return complain(config, id, "%s does not exist, and %s neither: only the last one is made",
                        directory, parent);
    if (access(parent, W_OK | X_OK) < 0)
        return complain(config, id, "%s does not exist, and user %u cannot make it: %s", directory,
                        (unsigned)geteuid(), strerror(errno));
    return 0;
}

static int check_directory(struct config *config, enum config_id id, const char *directory)
{
    struct stat status;
    if (stat(directory, &status) < 0 && errno == ENOENT)
        return check_missing(config, id, directory);
    if (stat(directory, &status) < 0)
        return complain(config, id, "%s: %s", directory, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return complain(config, id, "%s is no directory", directory);
    if (access(directory, W_OK | X_OK) < 0)
        return complain(config, id, "user %u cannot write into %s: %s", (unsigned)geteuid(),
                        directory, strerror(errno));
    return 0;
}

static int check_state(struct config *config, const char *state_directory)
{
    const enum config_id id = CONFIG_STORAGE_DIRECTORY;
    if (strcmp(config_text(config, CONFIG_STORAGE_MODE), "durable") != 0)
        return 0;
    const char *directory = config_is_set(config, id) && *config_text(config, id)
                                ? config_text(config, id)
                                : state_directory;
    struct stat status;
    if (stat(directory, &status) == 0 && S_ISDIR(status.st_mode) && (status.st_mode & S_IWOTH))
        return complain(config, id, "everybody may write into %s (mode %04o)", directory,
                        (unsigned)status.st_mode & 07777);
    return check_directory(config, id, directory);
}

static int check_socket(struct config *config)
{
    const char *path = config_text(config, CONFIG_SOCKET_PATH);
    const char *group = config_text(config, CONFIG_SOCKET_GROUP);
    char parent[PATH_MAX];
    find_parent(path, parent);
    int r = check_directory(config, CONFIG_SOCKET_PATH, parent);
    struct stat status;
    if (r == 0 && lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
        r = complain(config, CONFIG_SOCKET_PATH, "%s is there and is no socket", path);
    if (r == 0 && config_is_set(config, CONFIG_SOCKET_GROUP) && *group && !getgrnam(group))
        r = config_add_problem(config, CONFIG_NOTE, config->values[CONFIG_SOCKET_GROUP].file,
                               config->values[CONFIG_SOCKET_GROUP].line,
                               "the group %s does not exist; the socket keeps its own", group);
    return r;
}

int config_check_places(struct config *config, const char *state_directory)
{
    const int r = check_state(config, state_directory);
    return r < 0 ? r : check_socket(config);
}
