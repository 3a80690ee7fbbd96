#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/history_table.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static enum fluxctl_exit print_table(const char *json)
{
    struct json_tree tree = {0};
    if (json_tree_read(&tree, json) < 0) {
        fprintf(stderr, "fluxctl: out of memory\n");
        return FLUXCTL_REFUSED;
    }
    const struct screen screen = screen_of_stdout();
    fluxctl_print_history(&screen, &tree, (int64_t)time(NULL));
    json_tree_clear(&tree);
    return FLUXCTL_DONE;
}

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
        exit = print_table(json);
    free(json);
    client = fluxaws_close(client);
    return exit;
}
