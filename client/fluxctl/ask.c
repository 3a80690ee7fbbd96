#include "client/fluxctl/ask.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum fluxctl_exit fluxctl_explain_question(const struct fluxctl_arguments *arguments,
                                           struct fluxaws_client *client, int error)
{
    int connected = fluxaws_is_connected(client);
    if (connected != 1 && (error == -ETIMEDOUT || error == -ENOTCONN))
        return fluxctl_explain_connection(arguments, connected < 0 ? connected : -ETIMEDOUT);
    switch (-error) {
    case ETIMEDOUT:
        fprintf(stderr, "fluxctl: timed out after %g s\nTry: fluxctl status\n",
                arguments->timeout_ms / 1000.0);
        return FLUXCTL_TIMED_OUT;
    case ENOTCONN:
        fprintf(stderr, "fluxctl: the connection was lost before the answer came\n"
                        "Try: the same again; systemctl status fluxawsd\n");
        return FLUXCTL_NO_DAEMON;
    case EACCES:
    case EPERM:
        fprintf(stderr, "fluxctl: not allowed: %s\n", fluxaws_error_text(client));
        return FLUXCTL_NO_PERMISSION;
    case EREMOTEIO:
        fprintf(stderr, "fluxctl: rejected: %s\n", fluxaws_error_text(client));
        return FLUXCTL_REFUSED;
    case EINVAL:
    case EILSEQ:
    case ENAMETOOLONG:
        fprintf(stderr, "fluxctl: %s\n", fluxaws_error_text(client));
        return FLUXCTL_USAGE;
    default:
        fprintf(stderr, "fluxctl: %s\n", fluxaws_error_text(client));
        return FLUXCTL_REFUSED;
    }
}

enum fluxctl_exit fluxctl_ask(const struct fluxctl_arguments *arguments, fluxctl_asker ask)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    int count = arguments->operand_count > 0 ? arguments->operand_count : 1;
    char **answers = calloc((size_t)count, sizeof(*answers));
    if (answers != NULL) {
        exit = ask(arguments, client, answers, count);
        for (int i = 0; i < count; i++)
            free(answers[i]);
        free(answers);
    } else {
        fprintf(stderr, "fluxctl: out of memory\n");
        exit = FLUXCTL_REFUSED;
    }
    client = fluxaws_close(client);
    return exit;
}
