/* Why the socket cannot be opened, and whose permission it takes. */
#include "client/fluxctl/permission.h"
#include "client/fluxaws.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of 100 ms, for a daemon that greets or sends us away. */
#define DENIAL_TURNS 20

/* Say in the daemon's words why it sends us away. Returns false if it does not. */
static bool explain_denial(void)
{
    const struct fluxaws_options options = {.size = sizeof(options), .name = "fluxctl"};
    struct fluxaws_client *client = NULL;
    if (fluxaws_open(&client, &options) < 0)
        return false;
    int connected = fluxaws_is_connected(client);
    for (int i = 0; i < DENIAL_TURNS && connected == 0; i++) {
        (void)fluxaws_dispatch(client, 100);
        connected = fluxaws_is_connected(client);
    }
    const bool is_denied = connected == -EACCES;
    if (is_denied)
        fprintf(stderr,
                "fluxctl: not allowed: %s\n"
                "Try: the same as root; the [Access] sections of the configuration say who may\n",
                fluxaws_error_text(client));
    client = fluxaws_close(client);
    return is_denied;
}

/* Find the first directory on the way that we may not pass; else it is the socket itself. */
static void find_barrier(const char *path, char ret_barrier[static PATH_MAX])
{
    for (size_t size = 1; path[size] != '\0'; size++) {
        if (path[size] != '/' || size >= PATH_MAX)
            continue;
        (void)snprintf(ret_barrier, PATH_MAX, "%.*s", (int)size, path);
        if (faccessat(AT_FDCWD, ret_barrier, X_OK, AT_EACCESS) < 0)
            return;
    }
    (void)snprintf(ret_barrier, PATH_MAX, "%s", path);
}

/* Tell whether the group is ours by the books, so that it only takes a new session. */
static bool is_member(const struct passwd *user, const struct group *group)
{
    if (user == NULL)
        return false;
    for (char *const *member = group->gr_mem; *member != NULL; member++)
        if (strcmp(*member, user->pw_name) == 0)
            return true;
    return user->pw_gid == group->gr_gid;
}

void fluxctl_explain_permission(const char *path)
{
    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0 && explain_denial())
        return;
    char barrier[PATH_MAX];
    find_barrier(path, barrier);
    struct stat status = {.st_gid = 0};
    const bool is_known = stat(barrier, &status) == 0;
    const bool is_directory = is_known && S_ISDIR(status.st_mode);
    const mode_t wanted = is_directory ? S_IXGRP : S_IWGRP;
    const struct passwd *user = getpwuid(geteuid());
    const struct group *group = is_known ? getgrgid(status.st_gid) : NULL;
    fprintf(stderr, "fluxctl: no permission on %s: ", path);
    if (group == NULL || status.st_gid == 0 || (status.st_mode & wanted) == 0) {
        fprintf(stderr, "%s%s is open to no group but root's\n", is_directory ? "" : "the socket ",
                is_directory ? barrier : "");
        fprintf(stderr,
                "Try: the same as root; or [Socket] Group=fluxaws and Mode=0660, then: sudo "
                "usermod -aG fluxaws %s\n",
                user != NULL ? user->pw_name : "USER");
        return;
    }
    fprintf(stderr, "%s is open to the group %s\n", is_directory ? barrier : "the socket",
            group->gr_name);
    if (is_member(user, group))
        fprintf(stderr,
                "%s is in that group, but this session is older. Try: newgrp %s, or log in again\n",
                user->pw_name, group->gr_name);
    else
        fprintf(stderr, "Try: sudo usermod -aG %s %s, then log in again\n", group->gr_name,
                user != NULL ? user->pw_name : "USER");
}
