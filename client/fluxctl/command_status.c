#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/status_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static enum fluxctl_exit print_text(const char *json)
{
    const struct status_view view = {
        .screen = screen_of_stdout(),
        .now_sec = (int64_t)time(NULL),
        .own_pid = (int64_t)getpid(),
    };
    if (status_print(json, &view) == 0)
        return FLUXCTL_DONE;
    fputs("fluxctl: the answer cannot be shown\nTry: fluxctl --json status\n", stderr);
    return FLUXCTL_REFUSED;
}

enum fluxctl_exit fluxctl_status(const struct fluxctl_arguments *arguments)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    char *json = NULL;
    int r = fluxaws_get_status(client, arguments->timeout_ms, &json);
    if (r < 0)
        exit = fluxctl_explain_question(arguments, client, r);
    else if (arguments->json)
        puts(json);
    else
        exit = print_text(json);
    free(json);
    client = fluxaws_close(client);
    return exit;
}
