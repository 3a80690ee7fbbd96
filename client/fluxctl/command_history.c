#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/history_table.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum fluxctl_exit fluxctl_history(const struct fluxctl_arguments *arguments)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    char *json = NULL;
    int r = fluxaws_get_history(client, arguments->timeout_ms, &json);
    if (r < 0)
        exit = fluxctl_explain_question(arguments, client, r);
    else if (arguments->json)
        puts(json);
    else
        fluxctl_print_history(stdout, json, (int64_t)time(NULL));
    free(json);
    client = fluxaws_close(client);
    return exit;
}
