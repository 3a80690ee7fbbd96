#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include <stdio.h>

static void print_json(const struct fluxctl_arguments *arguments)
{
    printf("{\"log_level\":\"%s\",\"for_sec\":", arguments->operands[0]);
    if (arguments->for_sec > 0)
        printf("%u}\n", arguments->for_sec);
    else
        puts("null}");
}

enum fluxctl_exit fluxctl_log_level(const struct fluxctl_arguments *arguments)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    int r = fluxaws_set_log_level(client, arguments->operands[0], arguments->for_sec,
                                  arguments->timeout_ms);
    if (r < 0)
        exit = fluxctl_explain_question(arguments, client, r);
    else if (arguments->json)
        print_json(arguments);
    client = fluxaws_close(client);
    return exit;
}
