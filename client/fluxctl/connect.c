/* The connection, and what to do when there is none. */
#include "client/fluxctl/fluxctl.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *socket_path(const struct fluxctl_arguments *arguments)
{
    const char *environment = getenv("FLUXAWS_SOCKET");
    if (arguments->socket_path != NULL)
        return arguments->socket_path;
    if (environment != NULL && environment[0] != '\0')
        return environment;
    return "/run/fluxaws/fluxawsd.sock";
}

/* The group that may use the socket: its own, unless that helps nobody. */
static const char *socket_group(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0 || status.st_gid == 0)
        return "fluxaws";
    const struct group *group = getgrgid(status.st_gid);
    return group != NULL ? group->gr_name : "fluxaws";
}

static void explain_permission(const char *path)
{
    const struct passwd *user = getpwuid(geteuid());
    const char *group = socket_group(path);
    fprintf(stderr,
            "fluxctl: no permission on %s: it is open to the group %s\n"
            "Try: sudo usermod -aG %s %s, then log in again\n",
            path, group, group, user != NULL ? user->pw_name : "USER");
}

enum fluxctl_exit fluxctl_explain_connection(const struct fluxctl_arguments *arguments, int error)
{
    const char *path = socket_path(arguments);
    switch (-error) {
    case EACCES:
    case EPERM:
        explain_permission(path);
        return FLUXCTL_NO_PERMISSION;
    case ENOENT:
        fprintf(stderr,
                "fluxctl: no socket at %s: is fluxawsd running?\nTry: systemctl start fluxawsd\n",
                path);
        return FLUXCTL_NO_DAEMON;
    case ECONNREFUSED:
        fprintf(stderr,
                "fluxctl: nobody listens on %s: is fluxawsd running?\n"
                "Try: systemctl start fluxawsd\n",
                path);
        return FLUXCTL_NO_DAEMON;
    case ENAMETOOLONG:
    case EINVAL:
        fprintf(stderr, "fluxctl: '%s' cannot be the path of a socket: at most 107 bytes\n", path);
        return FLUXCTL_USAGE;
    case ETIMEDOUT:
        fprintf(stderr,
                "fluxctl: what listens on %s does not greet: is fluxawsd hung?\n"
                "Try: systemctl status fluxawsd\n",
                path);
        return FLUXCTL_NO_DAEMON;
    case EPROTONOSUPPORT:
        fprintf(stderr,
                "fluxctl: fluxctl %s and the daemon on %s share no protocol version\n"
                "Try: install both from the same release\n",
                fluxaws_version(), path);
        return FLUXCTL_NO_DAEMON;
    default:
        fprintf(stderr, "fluxctl: %s: %s\nTry: systemctl status fluxawsd\n", path,
                fluxaws_strerror(error));
        return FLUXCTL_NO_DAEMON;
    }
}

static enum fluxctl_exit choose_shadow(const struct fluxctl_arguments *arguments,
                                       struct fluxaws_client *client)
{
    int r = fluxaws_use_shadow(client, arguments->thing, arguments->shadow);
    if (r == 0)
        return FLUXCTL_DONE;
    fprintf(stderr, "fluxctl: %s\n", fluxaws_error_text(client));
    return r == -EACCES ? FLUXCTL_NO_PERMISSION : FLUXCTL_USAGE;
}

enum fluxctl_exit fluxctl_connect(const struct fluxctl_arguments *arguments,
                                  struct fluxaws_client **ret_client)
{
    /* What is asked for on the command line is meant, whatever the environment says. */
    if (arguments->socket_path != NULL && setenv("FLUXAWS_SOCKET", arguments->socket_path, 1) < 0)
        return FLUXCTL_REFUSED;
    struct fluxaws_options options = {
        .size = sizeof(options),
        .name = "fluxctl",
        .require_daemon = true,
    };
    struct fluxaws_client *client = NULL;
    int r = fluxaws_open(&client, &options);
    if (r < 0)
        return fluxctl_explain_connection(arguments, r);
    enum fluxctl_exit exit = choose_shadow(arguments, client);
    if (exit != FLUXCTL_DONE) {
        client = fluxaws_close(client);
        return exit;
    }
    *ret_client = client;
    return FLUXCTL_DONE;
}
