/* The connection, and what to do when there is none. */
#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/permission.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FLUXCTL_SOCKET_DEFAULT "/run/fluxaws/fluxawsd.sock"

static const char *socket_path(const struct fluxctl_arguments *arguments)
{
    const char *environment = getenv("FLUXAWS_SOCKET");
    if (arguments->socket_path != NULL)
        return arguments->socket_path;
    if (environment != NULL && environment[0] != '\0')
        return environment;
    return FLUXCTL_SOCKET_DEFAULT;
}

/* Nobody answers at the path: perhaps it is not the daemon's. */
static void explain_absence(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0)
        fprintf(stderr, "fluxctl: no socket at %s: is fluxawsd running?\n", path);
    else if (!S_ISSOCK(status.st_mode))
        fprintf(stderr, "fluxctl: %s is no socket\n", path);
    else
        fprintf(stderr, "fluxctl: nobody listens on %s: is fluxawsd running?\n", path);
    if (strcmp(path, FLUXCTL_SOCKET_DEFAULT) == 0)
        fputs("Try: systemctl status fluxawsd; systemctl start fluxawsd; or --socket PATH or\n"
              "FLUXAWS_SOCKET for another socket\n",
              stderr);
    else
        fputs("Try: systemctl status fluxawsd; systemctl start fluxawsd; fluxawsd --print-config\n"
              "shows its [Socket] Path\n",
              stderr);
}

enum fluxctl_exit fluxctl_explain_connection(const struct fluxctl_arguments *arguments, int error)
{
    const char *path = socket_path(arguments);
    switch (-error) {
    case EACCES:
    case EPERM:
        fluxctl_explain_permission(path);
        return FLUXCTL_NO_PERMISSION;
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
        explain_absence(path);
        return FLUXCTL_NO_DAEMON;
    case ENAMETOOLONG:
    case EINVAL:
        fprintf(stderr, "fluxctl: '%s' cannot be the path of a socket: at most 107 bytes\n", path);
        return FLUXCTL_USAGE;
    case ETIMEDOUT:
        fprintf(stderr,
                "fluxctl: what listens on %s does not greet: does fluxawsd start, stop or hang?\n"
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
